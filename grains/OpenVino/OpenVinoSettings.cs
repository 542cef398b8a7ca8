using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.OpenVino;

/// <summary>Turns a model's settings into what OpenVINO's provider takes. Pure.</summary>
internal static class OpenVinoSettings
{
    private const string PrecisionHint = "INFERENCE_PRECISION_HINT";

    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Streams and the threads of all of them, both at least 1.</summary>
    /// <param name="concurrency">Requests at once, derived.</param>
    /// <param name="intraOpThreads">Threads of each, derived.</param>
    /// <param name="cores">The silo's processors, which threads that were not asked for do not exceed.</param>
    public static (int Streams, int Threads) Derive(ProviderSettings options, int concurrency, int intraOpThreads, int cores)
    {
        var streams = options.Streams > 0 ? options.Streams : concurrency;
        return (streams, options.Threads > 0 ? options.Threads : (int)Math.Min(cores, (long)streams * intraOpThreads));
    }

    /// <summary>By the provider's own names.</summary>
    /// <param name="cache">Folder for the compiled graph; null for none.</param>
    public static Dictionary<string, string> Provider(ProviderSettings options, int streams, int threads, string? cache)
    {
        var provider = new Dictionary<string, string>
        {
            ["device_type"] = options.Device,
            ["num_streams"] = streams.ToString(CultureInfo.InvariantCulture),
            ["load_config"] = LoadConfig(options, cache),
        };
        if (options.DeviceKind == ProviderSettings.Cpu)
        {
            provider["num_of_threads"] = threads.ToString(CultureInfo.InvariantCulture);
        }

        return provider;
    }

    /// <summary>
    /// The model's own properties, which win, the precision, and the folder. The provider's own option for that, <c>cache_dir</c>, holds for every later session of
    /// the process. A session without cache would read, and be given, what another one compiled in another precision.
    /// </summary>
    private static string LoadConfig(ProviderSettings options, string? cache)
    {
        var config = options.Config.Length > 0 ? JsonNode.Parse(options.Config)!.AsObject() : [];
        if (config[options.DeviceKind] is not JsonObject device)
        {
            config[options.DeviceKind] = device = [];
        }

        device[PrecisionHint] ??= options.Precision switch { ExecutionPrecision.Bf16 => "bf16", ExecutionPrecision.F16 => "f16", _ => "f32" };
        device[ProviderOptionsReader.CacheFolder] = cache ?? "";
        return config.ToJsonString(Plain);
    }
}
