using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Cluster.Contracts.Models;

namespace Cluster.Grains.Repository.Settings;

/// <summary>A fingerprint of policy and settings that is the same in every process and for every order of keys in the file.</summary>
internal static class SettingsRevision
{
    /// <returns>64 hexadecimal digits.</returns>
    public static string Of(VersionPolicy policy, ModelSettings settings)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            WritePolicy(json, policy);
            WriteSettings(json, settings);
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

    private static void WriteSettings(Utf8JsonWriter json, ModelSettings settings)
    {
        json.WriteStringValue(settings.ExecutionProvider.ToString());
        json.WriteNumberValue(settings.Concurrency);
        json.WriteNumberValue(settings.QueueLimit ?? -1);
        json.WriteNumberValue(settings.IntraOpThreads);
        json.WriteStringValue(settings.GraphOptimization.ToString());
        json.WriteStringValue(settings.PerformanceHint.ToString());
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
        json.WriteNumberValue(settings.MinCopies);
        json.WriteNumberValue(settings.MaxCopies);
        WriteStrings(json, settings.RequiredLabels);
        WriteStrings(json, settings.PreferredLabels);
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
