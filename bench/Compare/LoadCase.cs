using Cluster.Bench.Load;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>One request over and over.</summary>
/// <param name="server">What of a build is asked.</param>
/// <param name="create">Makes the request to it.</param>
internal sealed class LoadCase(
    string name, Func<RunningBuild, CancellationToken, Task<Target>> server, Func<Target, InferCall> create, LoadShape shape, LoadPlan plan) : CompareCase(name)
{
    /// <summary>The same for both builds, so that a round of either is the same work.</summary>
    private int? _requests;

    public override async Task PrepareAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var target = await server(build, cancellationToken);
        using var call = create(target);
        var requests = await CheckedLoad.WarmUpAsync(call, shape, plan, target.Processes, cancellationToken);
        _requests ??= requests;
    }

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var target = await server(build, cancellationToken);
        using var call = create(target);
        return Sample.Of(await CheckedLoad.RunAsync(call, _requests!.Value, shape, target.Processes, cancellationToken));
    }
}
