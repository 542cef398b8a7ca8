using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Serving;

namespace Cluster.Gateway.Rest;

/// <summary>The cluster as JSON: sizes in bytes, ages in seconds.</summary>
internal sealed record ClusterAnswer(string Cluster, long MembershipVersion, IEnumerable<ClusterNode> Nodes, IEnumerable<ClusterModel> Models)
{
    public static ClusterAnswer Of(ClusterOverview overview) => new(
        overview.Cluster.Id,
        overview.Cluster.MembershipVersion,
        overview.Cluster.Nodes.Select(ClusterNode.Of),
        overview.Models.Select(model => ClusterModel.Of(model, overview.Time)));

    internal static double? Seconds(TimeSpan? time) => time is { } value ? Math.Round(value.TotalSeconds, 3) : null;
}

internal sealed record ClusterNode(
    string Silo,
    string Name,
    string Status,
    bool Draining,
    long CapacityBytes,
    long UsedBytes,
    int Copies,
    int Loading,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? OldestIdleSeconds,
    double RequestsPerMinute,
    ImmutableArray<string> Labels,
    string Runtime)
{
    public static ClusterNode Of(NodeDescription node) => new(
        node.Silo,
        node.Name,
        node.Status,
        node.Draining,
        node.Capacity,
        node.Used,
        node.Copies,
        node.Loading,
        ClusterAnswer.Seconds(node.OldestIdle),
        Math.Round(node.RequestsPerMinute, 1),
        node.Labels,
        node.Runtime);
}

internal sealed record ClusterModel(string Name, string? Problem, IEnumerable<ClusterVersion> Versions)
{
    public static ClusterModel Of(ModelServingState model, DateTimeOffset now) =>
        new(model.Name, model.Problem, model.Versions.Select(version => ClusterVersion.Of(version, now)));
}

internal sealed record ClusterVersion(
    long Version,
    string State,
    string Reason,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? AgeSeconds,
    IEnumerable<ClusterReplica> Copies,
    ImmutableArray<string> FailedOn)
{
    public static ClusterVersion Of(VersionServingState version, DateTimeOffset now) => new(
        version.Version,
        version.State.ToString().ToUpperInvariant(),
        version.Reason,
        ClusterAnswer.Seconds(now - version.Since),
        CopiesOf(version),
        version.FailedOn);

    private static IEnumerable<ClusterReplica> CopiesOf(VersionServingState version)
    {
        IEnumerable<ClusterReplica> serving = version is { State: ModelVersionState.Ready, Replicas.IsEmpty: true }
            ? [new ClusterReplica(null, "ON_DEMAND", null)]
            : version.Replicas.Select(static replica => CopyOf(replica, "SERVING"));
        return [.. serving, .. version.Arriving.Select(static replica => CopyOf(replica, "LOADING"))];
    }

    private static ClusterReplica CopyOf(PlacedReplica replica, string state) => new(replica.Number, state, replica.Silo.ToParsableString());
}

internal sealed record ClusterReplica(int? Copy, string State, string? Silo);
