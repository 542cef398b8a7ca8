using System.Text.Json;

namespace Cluster.Tests.Common;

/// <summary>A model as <c>GET /v2/cluster</c> shows it; the replicas of all its versions together.</summary>
public sealed record ModelView(string Name, IReadOnlyList<ReplicaView> Copies, IReadOnlyList<string> States, IReadOnlyList<string> FailedOn)
{
    public static ModelView Parse(JsonElement model)
    {
        var versions = model.GetProperty("versions").EnumerateArray().ToList();
        return new ModelView(
            model.GetProperty("name").GetString()!,
            [.. versions.SelectMany(static version => version.GetProperty("copies").EnumerateArray()).Select(ParseReplica)],
            [.. versions.Select(static version => version.GetProperty("state").GetString()!)],
            [.. versions.SelectMany(static version => version.GetProperty("failed_on").EnumerateArray()).Select(static silo => silo.GetString()!)]);
    }

    private static ReplicaView ParseReplica(JsonElement replica) => new(
        replica.TryGetProperty("copy", out var number) ? number.GetInt32() : null, replica.GetProperty("state").GetString()!, replica.TryGetProperty("silo", out var silo) ? silo.GetString()! : "");
}
