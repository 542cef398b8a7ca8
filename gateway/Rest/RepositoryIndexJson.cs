using System.Text.Json;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Rest;

/// <summary>The repository's index in the forms of the repository extension, of KServe's model list and of OVMS's config status.</summary>
internal static class RepositoryIndexJson
{
    /// <summary>An array, a version a row; what is empty is left out, so that a model never loaded has only its name.</summary>
    public static void Write(Utf8JsonWriter json, RepositoryIndexResponse index)
    {
        json.WriteStartArray();
        foreach (var row in index.Models)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, row.Name);
            WriteOptional(json, "version"u8, row.Version);
            WriteOptional(json, "state"u8, row.State);
            WriteOptional(json, "reason"u8, row.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary><c>{"models":["a","b"]}</c></summary>
    public static void WriteNames(Utf8JsonWriter json, RepositoryIndexResponse index)
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var name in index.Models.Select(row => row.Name).Distinct(StringComparer.Ordinal))
        {
            json.WriteStringValue(name);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary><c>{"a":{"model_version_status":[{"version":"1","state":"AVAILABLE","status":{…}}]}}</c></summary>
    public static void WriteConfigStatus(Utf8JsonWriter json, RepositoryIndexResponse index)
    {
        json.WriteStartObject();
        foreach (var model in index.Models.GroupBy(row => row.Name, StringComparer.Ordinal))
        {
            json.WriteStartObject(model.Key);
            json.WriteStartArray("model_version_status"u8);
            foreach (var row in model.Where(row => row.Version.Length > 0))
            {
                WriteStatus(json, row);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteStatus(Utf8JsonWriter json, RepositoryIndexResponse.Types.ModelIndex row)
    {
        var state = row.State switch
        {
            "READY" => "AVAILABLE",
            "LOADING" or "UNLOADING" => row.State,
            _ => "END",
        };
        var failed = state == "END" && !ServingReasons.IsIntended(row.Reason);
        json.WriteStartObject();
        json.WriteString("version"u8, row.Version);
        json.WriteString("state"u8, state);
        json.WriteStartObject("status"u8);
        json.WriteString("error_code"u8, failed ? "UNKNOWN" : "OK");
        json.WriteString("error_message"u8, row.Reason.Length > 0 ? row.Reason : "OK");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteOptional(Utf8JsonWriter json, ReadOnlySpan<byte> name, string value)
    {
        if (value.Length > 0)
        {
            json.WriteString(name, value);
        }
    }
}
