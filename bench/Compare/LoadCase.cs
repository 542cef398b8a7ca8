using Cluster.Bench.Load;
using Cluster.Bench.Silos;

namespace Cluster.Bench.Compare;

/// <summary>One request over and over, by so many connections with so many in flight on each.</summary>
/// <param name="target">What of a build is asked.</param>
/// <param name="create">Makes the request to it.</param>
internal sealed class LoadCase(
    string name,
    Func<RunningBuild, CancellationToken, Task<Target>> target,
    Func<Target, InferCall> create,
    int connections,
    int streams,
    TimeSpan warmUp,
    TimeSpan duration) : CompareCase(name)
{
    /// <summary>How much longer each load of the warm-up is than the one before, at most.</summary>
    private const int MaxGrowth = 8;

    /// <summary>The same for both builds, so that a round of either is the same work.</summary>
    private int? _requests;

    public override async Task PrepareAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var server = await target(build, cancellationToken);
        using var call = create(server);
        for (var requests = connections * streams; ;)
        {
            var load = await CheckedLoad.RunAsync(call, requests, connections, streams, server.Processes, cancellationToken);
            if (load.Elapsed >= warmUp / 2)
            {
                _requests ??= Math.Max(connections * streams, (int)(load.RequestsPerSecond * duration.TotalSeconds));
                return;
            }

            requests = (int)(requests * Math.Min(MaxGrowth, warmUp / load.Elapsed)) + 1;
        }
    }

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var server = await target(build, cancellationToken);
        using var call = create(server);
        var load = await CheckedLoad.RunAsync(call, _requests!.Value, connections, streams, server.Processes, cancellationToken);
        return new Sample(
            load.Cpu.OthersPercent,
            new Figure("req/s", load.RequestsPerSecond),
            new Figure("server CPU µs", load.ServerCpuMicros!.Value),
            new Figure("p50 µs", load.P50Micros),
            new Figure("p99 µs", load.P99Micros));
    }
}
