using System.Text.Json;

namespace Cluster.Tests.Common;

/// <summary>A silo as <c>GET /v2/cluster</c> shows it.</summary>
public sealed record NodeView(string Silo, string Status, bool Draining, long Capacity, long Used, int Copies, int Loading)
{
    public static NodeView Parse(JsonElement node) => new(
        node.GetProperty("silo").GetString()!,
        node.GetProperty("status").GetString()!,
        node.GetProperty("draining").GetBoolean(),
        node.GetProperty("capacity_bytes").GetInt64(),
        node.GetProperty("used_bytes").GetInt64(),
        node.GetProperty("copies").GetInt32(),
        node.GetProperty("loading").GetInt32());
}
