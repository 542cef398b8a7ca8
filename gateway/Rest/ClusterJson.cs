using System.Text.Json;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Serving;

namespace Cluster.Gateway.Rest;

/// <summary>The cluster as JSON: sizes in bytes, ages in seconds.</summary>
internal static class ClusterJson
{
    public static void Write(Utf8JsonWriter json, ClusterOverview overview)
    {
        var cluster = overview.Cluster;
        json.WriteStartObject();
        json.WriteString("cluster"u8, cluster.Id);
        json.WriteNumber("membership_version"u8, cluster.MembershipVersion);
        json.WriteStartArray("nodes"u8);
        foreach (var node in cluster.Nodes)
        {
            Write(json, node);
        }

        json.WriteEndArray();
        json.WriteStartArray("models"u8);
        foreach (var model in overview.Models)
        {
            Write(json, model, overview.Time);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, NodeDescription node)
    {
        json.WriteStartObject();
        json.WriteString("silo"u8, node.Silo);
        json.WriteString("name"u8, node.Name);
        json.WriteString("status"u8, node.Status);
        json.WriteBoolean("draining"u8, node.Draining);
        json.WriteNumber("capacity_bytes"u8, node.Capacity);
        json.WriteNumber("used_bytes"u8, node.Used);
        json.WriteNumber("copies"u8, node.Copies);
        json.WriteNumber("loading"u8, node.Loading);
        WriteSeconds(json, "oldest_idle_seconds"u8, node.OldestIdle);
        json.WriteNumber("requests_per_minute"u8, Math.Round(node.RequestsPerMinute, 1));
        json.WriteStartArray("labels"u8);
        foreach (var label in node.Labels)
        {
            json.WriteStringValue(label);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, ModelServingState model, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        if (model.Problem is not null)
        {
            json.WriteString("problem"u8, model.Problem);
        }

        json.WriteStartArray("versions"u8);
        foreach (var version in model.Versions)
        {
            Write(json, version, now);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, VersionServingState version, DateTimeOffset now)
    {
        json.WriteStartObject();
        json.WriteNumber("version"u8, version.Version);
        json.WriteString("state"u8, version.State.ToString().ToUpperInvariant());
        json.WriteString("reason"u8, version.Reason);
        WriteSeconds(json, "age_seconds"u8, version.Since is { } since ? now - since : null);
        json.WriteStartArray("copies"u8);
        foreach (var copy in version.Copies)
        {
            WriteCopy(json, copy, version, "SERVING"u8);
        }

        foreach (var copy in version.Arriving)
        {
            WriteCopy(json, copy, version, "LOADING"u8);
        }

        json.WriteEndArray();
        json.WriteStartArray("failed_on"u8);
        foreach (var silo in version.FailedOn)
        {
            json.WriteStringValue(silo);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCopy(Utf8JsonWriter json, int copy, VersionServingState version, ReadOnlySpan<byte> state)
    {
        var placement = version.Placements.FirstOrDefault(candidate => candidate.Copy == copy);
        json.WriteStartObject();
        json.WriteNumber("copy"u8, copy);
        json.WriteString("state"u8, placement is null && version.State == ModelVersionState.Ready && version.Copies.Contains(copy) ? "ON_DEMAND"u8 : state);
        if (placement is not null)
        {
            json.WriteString("silo"u8, placement.Silo);
        }

        json.WriteEndObject();
    }

    private static void WriteSeconds(Utf8JsonWriter json, ReadOnlySpan<byte> name, TimeSpan? time)
    {
        if (time is { } value)
        {
            json.WriteNumber(name, Math.Round(value.TotalSeconds, 3));
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
