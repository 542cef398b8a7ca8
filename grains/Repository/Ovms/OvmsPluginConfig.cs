using System.Globalization;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>Reads 'plugin_config'. Three keys have a meaning on every provider; the others are handed on to OpenVINO.</summary>
internal sealed class OvmsPluginConfig(List<string> warnings, List<string> problems)
{
    private const int Automatic = 0;

    private readonly List<JsonMember> _others = [];
    private int _streams;
    private int _threads;
    private PerformanceHint? _hint;

    public void Read(JsonMember member, JsonErrors errors)
    {
        foreach (var setting in JsonExpect.Members(member, errors))
        {
            if (setting.Value.Kind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null)
            {
                errors.Expected(setting, "a string, a number, true or false");
            }
            else
            {
                ReadSetting(setting);
            }
        }
    }

    /// <summary>
    /// Streams become the concurrency unless that is given; the threads for all requests are shared out among those that run at
    /// once. Without a concurrency, the hint decides: one request on all threads, or as many requests as threads.
    /// </summary>
    public ModelSettings ApplyTo(ModelSettings settings)
    {
        var concurrency = settings.Concurrency > 0 ? settings.Concurrency : _streams;
        var hint = _hint ?? settings.PerformanceHint;
        if (concurrency == Automatic && _threads > 0)
        {
            concurrency = hint == PerformanceHint.Latency ? 1 : _threads;
        }

        return settings with
        {
            ProviderOptions = settings.ProviderOptions with { Streams = _streams, Threads = _threads, Config = ConfigOf(settings.ProviderOptions.DeviceKind) },
            Concurrency = concurrency,
            PerformanceHint = hint,
            IntraOpThreads = _threads > 0 ? Math.Max(1, _threads / concurrency) : settings.IntraOpThreads,
        };
    }

    private string ConfigOf(string device)
    {
        if (_others.Count == 0)
        {
            return "";
        }

        var properties = new JsonItem(JsonValueKind.Object, 0, "", [.. _others], []);
        return new JsonItem(JsonValueKind.Object, 0, "", [new JsonMember(device, device, properties)], []).ToJson();
    }

    private void ReadSetting(JsonMember setting)
    {
        switch (setting.Name)
        {
            case "NUM_STREAMS":
                _streams = ReadCount(setting, ModelSettingsReader.MaxConcurrency);
                break;
            case "INFERENCE_NUM_THREADS":
                _threads = ReadCount(setting, ModelSettingsReader.MaxThreads);
                break;
            case "PERFORMANCE_HINT":
                ReadHint(setting);
                break;
            case ProviderOptionsReader.CacheFolder:
                warnings.Add($"'{ProviderOptionsReader.CacheFolder}' has no effect: 'allow_cache' keeps compiled graphs in the silo's own folder");
                break;
            default:
                _others.Add(setting);
                break;
        }
    }

    private int ReadCount(JsonMember setting, int max)
    {
        var text = setting.Value.Text.Trim();
        if (setting.Value.Kind == JsonValueKind.String && text == "AUTO")
        {
            return Automatic;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= max)
        {
            return count;
        }

        problems.Add($"'{setting.Name}' is {setting.Value.Found}; expected an integer from 0 to {max} or \"AUTO\"");
        return Automatic;
    }

    private void ReadHint(JsonMember setting)
    {
        switch (setting.Value.Text)
        {
            case "LATENCY":
                _hint = PerformanceHint.Latency;
                break;
            case "THROUGHPUT":
                _hint = PerformanceHint.Throughput;
                break;
            case "CUMULATIVE_THROUGHPUT":
                warnings.Add("'PERFORMANCE_HINT' is \"CUMULATIVE_THROUGHPUT\": taken as \"THROUGHPUT\"");
                _hint = PerformanceHint.Throughput;
                break;
            default:
                problems.Add($"'PERFORMANCE_HINT' is {setting.Value.Found}; expected \"LATENCY\" or \"THROUGHPUT\"");
                break;
        }
    }
}
