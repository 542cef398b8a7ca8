using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Fingerprints of settings that are the same in every process and for every order of keys in the file: 64 hexadecimal digits.</summary>
internal static class SettingsRevision
{
    /// <summary>Changes with anything that is set.</summary>
    public static string Of(VersionPolicy policy, ModelSettings settings) => Of(json =>
    {
        WritePolicy(json, policy);
        WriteCopySettings(json, settings);
        json.WriteNumberValue(settings.MinCopies);
        json.WriteNumberValue(settings.MaxCopies);
    });

    /// <summary>Changes with the settings by which a replica is loaded and placed. A replica of another revision has to be loaded again.</summary>
    public static string OfCopy(ModelSettings settings) => Of(json => WriteCopySettings(json, settings));

    private static string Of(Action<Utf8JsonWriter> write)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            write(json);
            json.WriteEndArray();
        }

        return Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
    }

    private static void WritePolicy(Utf8JsonWriter json, VersionPolicy policy)
    {
        json.WriteStringValue(policy.Kind.ToString());
        json.WriteNumberValue(policy.Count);
        json.WriteStartArray();
        foreach (var version in policy.Versions)
        {
            json.WriteNumberValue(version);
        }

        json.WriteEndArray();
    }

    private static void WriteCopySettings(Utf8JsonWriter json, ModelSettings settings)
    {
        json.WriteStringValue(settings.ExecutionProvider.ToString());
        json.WriteNumberValue(settings.Concurrency);
        json.WriteNumberValue(settings.QueueLimit ?? -1);
        json.WriteNumberValue(settings.IntraOpThreads);
        json.WriteNumberValue(settings.MaxRunBytes);
        json.WriteStringValue(settings.GraphOptimization.ToString());
        
        // Files that say nothing keep the fingerprint that an earlier program gave them, which had another default.
        json.WriteStringValue((settings.PerformanceHint == PerformanceHint.Auto ? PerformanceHint.Throughput : settings.PerformanceHint).ToString());
        json.WriteStringValue(settings.BatchSize?.ToString() ?? "");
        json.WriteStartObject();
        foreach (var (input, dimensions) in settings.InputShapes)
        {
            json.WriteStartArray(input);
            foreach (var dimension in dimensions)
            {
                json.WriteStringValue(dimension.ToString());
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        json.WriteStartObject();
        foreach (var (output, file) in settings.Labels)
        {
            json.WriteString(output, file);
        }

        json.WriteEndObject();
        WriteStrings(json, settings.RequiredLabels);
        WriteStrings(json, settings.PreferredLabels);
        if (settings.MaxBatchSize > 0 || !settings.Format.IsEmpty)
        {
            // Only where they are set: a version of the program that did not know them gave the others the same fingerprint.
            json.WriteNumberValue(settings.MaxBatchSize);
            WriteStrings(json, settings.Format.Select(static format => $"{format.Key}={format.Value}"));
        }

        if (settings.PerformanceHint == PerformanceHint.Throughput)
        {
            json.WriteStringValue("one thread");
        }

        if (!settings.WarmUp)
        {
            json.WriteStringValue("cold");
        }

        if (settings.Batching is { IsOn: true } batching)
        {
            json.WriteNumberValue(batching.MaxSize);
            json.WriteNumberValue(batching.MaxDelay.Ticks);
            WriteStrings(json, batching.PreferredSizes.Select(static size => size.ToString(CultureInfo.InvariantCulture)));
            WriteStrings(json, batching.Padding.Select(static padded => string.Create(CultureInfo.InvariantCulture, $"{padded.Key}={padded.Value.Dimension},{padded.Value.Value:R}")));
        }

        if (settings.PriorityLevels > 0)
        {
            json.WriteStartArray();
            json.WriteNumberValue(settings.PriorityLevels);
            json.WriteNumberValue(settings.DefaultPriority);
            json.WriteEndArray();
        }

        if (settings.QueueDelay is { } delay)
        {
            json.WriteStringValue($"delay {delay.Ticks.ToString(CultureInfo.InvariantCulture)}");
        }

        if (settings.AdaptiveConcurrency)
        {
            json.WriteStringValue("adaptive");
        }

        if (settings.QueueBytes is { } bytes)
        {
            json.WriteStringValue($"queue {bytes.ToString(CultureInfo.InvariantCulture)}");
        }

        if (settings.ResponseCacheBytes > 0)
        {
            json.WriteStringValue($"responses {settings.ResponseCacheBytes.ToString(CultureInfo.InvariantCulture)}");
        }

        if (settings.ProviderOptions is var options && options != ProviderSettings.Default)
        {
            json.WriteStartObject();
            json.WriteString("device", options.Device);
            json.WriteNumber("streams", options.Streams);
            json.WriteNumber("threads", options.Threads);
            json.WriteString("precision", options.Precision.ToString());
            json.WriteBoolean("cache", options.Cache);
            json.WriteString("config", options.Config);
            json.WriteBoolean("allow_cpu_nodes", options.AllowCpuNodes);
            json.WriteEndObject();
        }
    }

    private static void WriteStrings(Utf8JsonWriter json, IEnumerable<string> values)
    {
        json.WriteStartArray();
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
