using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest.Control;

/// <summary>What operators ask of the cluster: the silos, where each model's replicas are, and why. Models that the caller may not read are left out.</summary>
internal sealed class ClusterEndpoint(IServingApi api)
{
    private const string SiloKey = "silo";

    public async Task GetAsync(HttpContext context)
    {
        var overview = await api.GetClusterAsync(context.RequestAborted);
        await JsonAnswer.WriteAsync(context, ClusterAnswer.Of(overview, Caller.Of(context)));
    }

    /// <summary>Drains the silo that the path names, or has it take replicas again; answers before its replicas have moved.</summary>
    public async Task DrainAsync(HttpContext context, bool drains)
    {
        var silo = context.Request.RouteValues[SiloKey] as string ?? "";
        await JsonAnswer.WriteAsync(context, ClusterNode.Of(await api.DrainSiloAsync(silo, drains, context.RequestAborted)));
    }

    /// <summary>A model that the caller may not read is answered as one that is not there.</summary>
    public async Task GetPlacementAsync(HttpContext context)
    {
        var model = ModelPath.Of(context).Model;
        var versions = Caller.Of(context).May(Permission.Read, model) ? await api.ExplainPlacementAsync(model, context.RequestAborted) : [];
        await JsonAnswer.WriteAsync(context, versions.Length > 0
            ? PlacementAnswer.Of(model, versions)
            : throw new ServingException(Failure.NotFound($"Request for unknown model: '{VersionText.Shorten(model)}' is not found")));
    }
}

/// <summary>What placement thinks of each silo for each version of a model.</summary>
internal sealed record PlacementAnswer(string Model, IEnumerable<PlacementVersion> Versions)
{
    public static PlacementAnswer Of(string model, IEnumerable<PlacementDescription> versions) => new(model, versions.Select(PlacementVersion.Of));
}

/// <param name="Problem">Why the version is on no silo and none can take it; else left out.</param>
internal sealed record PlacementVersion(long Version, long Bytes, string? Problem, IEnumerable<PlacementSilo> Silos)
{
    public static PlacementVersion Of(PlacementDescription version) =>
        new(version.Version, version.Bytes, version.Problem, version.Silos.Select(static silo => new PlacementSilo(silo.Silo, silo.Fits, silo.IsCandidate, silo.Reason)));
}

internal sealed record PlacementSilo(string Silo, bool Fits, bool Candidate, string Reason);

/// <summary>The cluster as JSON: sizes in bytes, ages in seconds.</summary>
internal sealed record ClusterAnswer(string Cluster, long MembershipVersion, ClusterTotals Totals, IEnumerable<ClusterNode> Nodes, IEnumerable<ClusterModel> Models, IEnumerable<AliasRow> Aliases)
{
    public static ClusterAnswer Of(ClusterOverview overview, Caller caller)
    {
        var figures = new ClusterFiguresIndex(overview);
        return new ClusterAnswer(
            overview.Cluster.Id,
            overview.Cluster.MembershipVersion,
            ClusterTotals.Of(overview),
            overview.Cluster.Nodes.Select(ClusterNode.Of),
            overview.Models.Where(model => caller.May(Permission.Read, model.Name)).Select(model => ClusterModel.Of(model, figures)),
            AliasRow.Of(overview.Aliases, caller));
    }

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
    string Runtime,
    bool Disagrees,
    long TensorMemoryBytes,
    long TensorMemoryLimitBytes)
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
        node.Runtime,
        node.Disagrees,
        node.TensorMemory,
        node.TensorMemoryLimit);
}

/// <summary>The cluster in one line, of all models.</summary>
/// <param name="Silos">That are active.</param>
/// <param name="DesiredCopies">Replicas that are to be in memory now.</param>
/// <param name="ReadyCopies">Replicas that take requests.</param>
/// <param name="RejectedRequests">Refused by the replicas that are loaded now, since they are.</param>
/// <param name="Store">Whether what the cluster knows in common can be asked for.</param>
internal sealed record ClusterTotals(int Silos, long DesiredCopies, long ReadyCopies, long RejectedRequests, bool Store)
{
    public static ClusterTotals Of(ClusterOverview overview) => new(
        overview.Cluster.Nodes.Count(static node => node.Status == nameof(SiloStatus.Active)),
        overview.Cluster.Versions.Sum(static version => (long)version.Wanted),
        overview.Models.Sum(static model => model.Versions.Sum(static version => (long)version.Replicas.Length)),
        overview.Cluster.Replicas.Sum(static replica => replica.Rejected),
        overview.StoreReachable);
}

/// <summary>The silos' figures, by replica and version.</summary>
internal sealed class ClusterFiguresIndex(ClusterOverview overview)
{
    private readonly Dictionary<ModelReplicaId, ReplicaFigures> _replicas = overview.Cluster.Replicas.ToDictionary(static replica => replica.Replica);
    private readonly Dictionary<(string Model, long Version), VersionFigures> _versions =
        overview.Cluster.Versions.DistinctBy(static version => (version.Model, version.Version)).ToDictionary(static version => (version.Model, version.Version));

    public DateTimeOffset Time => overview.Time;

    public ReplicaFigures? Of(ModelReplicaId replica) => _replicas.GetValueOrDefault(replica);

    public VersionFigures? Of(string model, long version) => _versions.GetValueOrDefault((model, version));
}

/// <param name="Scaled">What an operator set in place of the settings' bounds; left out where nothing is.</param>
internal sealed record ClusterModel(string Name, string? Problem, ScaledBounds? Scaled, IEnumerable<ClusterVersion> Versions)
{
    public static ClusterModel Of(ModelServingState model, ClusterFiguresIndex figures) =>
        new(model.Name, model.Problem, model.Bounds is { } bounds ? new ScaledBounds(bounds.Least, bounds.Most) : null, model.Versions.Select(version => ClusterVersion.Of(model.Name, version, figures)));
}

/// <param name="Cause">Why its replicas changed last; empty where the state or the reason says it.</param>
/// <param name="Failed">Whether the reason is a failed load.</param>
/// <param name="LastUsedSeconds">Ago; some seconds to minutes late.</param>
/// <param name="DeclaredBytes">What a replica is reckoned with before it is measured.</param>
/// <param name="DesiredCopies">Replicas that are to be in memory now.</param>
internal sealed record ClusterVersion(
    long Version,
    string State,
    string Reason,
    string Cause,
    bool Failed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? AgeSeconds,
    double? LastUsedSeconds,
    long? DeclaredBytes,
    int? DesiredCopies,
    IEnumerable<ClusterReplica> Copies,
    ImmutableArray<string> FailedOn)
{
    public static ClusterVersion Of(string model, VersionServingState version, ClusterFiguresIndex figures)
    {
        var known = figures.Of(model, version.Version);
        return new ClusterVersion(
            version.Version,
            version.State.ToString().ToUpperInvariant(),
            version.Reason,
            version.Cause,
            version.Failed,
            ClusterAnswer.Seconds(figures.Time - version.Since),
            ClusterAnswer.Seconds(figures.Time - version.LastUsed),
            known?.Declared,
            known?.Wanted,
            CopiesOf(model, version, figures),
            version.FailedOn);
    }

    private static IEnumerable<ClusterReplica> CopiesOf(string model, VersionServingState version, ClusterFiguresIndex figures)
    {
        IEnumerable<ClusterReplica> serving = version is { State: ModelVersionState.Ready, Replicas.IsEmpty: true }
            ? [new ClusterReplica(null, "ON_DEMAND", null)]
            : version.Replicas.Select(replica =>
                CopyOf(replica, "SERVING").With(figures.Of(new ModelReplicaId(model, version.Version, replica.Number, replica.Silo))));
        return [.. serving, .. version.Arriving.Select(static replica => CopyOf(replica, "LOADING"))];
    }

    private static ClusterReplica CopyOf(PlacedReplica replica, string state) => new(replica.Number, state, replica.Silo.ToParsableString());
}

/// <summary>A replica; figures are left out where its silo did not answer in time.</summary>
internal sealed record ClusterReplica(int? Copy, string State, string? Silo)
{
    /// <summary>Measured.</summary>
    public long? Bytes { get; init; }

    public double? IdleSeconds { get; init; }

    public int? Waiting { get; init; }

    public int? Running { get; init; }

    public int? Concurrency { get; init; }

    /// <summary>Runs that do not end.</summary>
    public int? Stuck { get; init; }

    public long? Rejected { get; init; }

    /// <summary>What rate and times are about.</summary>
    public double? WindowSeconds { get; init; }

    public double? RequestsPerSecond { get; init; }

    public double? RunP50Ms { get; init; }

    public double? RunP99Ms { get; init; }

    public double? WaitP99Ms { get; init; }

    public ClusterReplica With(ReplicaFigures? figures) => figures is null ? this : this with
    {
        Bytes = figures.Bytes,
        IdleSeconds = ClusterAnswer.Seconds(figures.Idle),
        Waiting = figures.Waiting,
        Running = figures.Running,
        Concurrency = figures.Concurrency,
        Stuck = figures.Stuck,
        Rejected = figures.Rejected,
        WindowSeconds = ClusterAnswer.Seconds(figures.Window),
        RequestsPerSecond = figures.Window > TimeSpan.Zero ? Math.Round(figures.Requests / figures.Window.TotalSeconds, 2) : 0,
        RunP50Ms = Milliseconds(figures.RunMedian),
        RunP99Ms = Milliseconds(figures.RunP99),
        WaitP99Ms = Milliseconds(figures.WaitP99),
    };

    private static double? Milliseconds(TimeSpan? time) => time is { } value ? Math.Round(value.TotalMilliseconds, 3) : null;
}

/// <summary>Replica bounds in place of those of a model's settings. A missing bound is as the settings say.</summary>
internal sealed record ScaledBounds(int? MinCopies, int? MaxCopies);
