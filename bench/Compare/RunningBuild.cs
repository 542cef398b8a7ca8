using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>A build with what was started of it; ended on disposal.</summary>
/// <param name="models">The models that are served.</param>
internal sealed class RunningBuild(Build build, string models) : IAsyncDisposable
{
    private const int Silos = 3;

    private ServerProcess? _single;
    private BenchCluster? _cluster;

    public Build Build => build;

    public string Models => models;

    /// <summary>One process with everything; started when it is first asked for.</summary>
    public async Task<Target> SingleAsync(CancellationToken cancellationToken) => (_single ??= await StartAsync(cancellationToken)).Target;

    /// <summary>A gateway and three silos; started when they are first asked for.</summary>
    public async Task<Target> ClusterAsync(CancellationToken cancellationToken) =>
        (_cluster ??= await StartClusterAsync(Silos, 1, cancellationToken)).Target;

    /// <summary>One process with everything, for the caller alone.</summary>
    public Task<ServerProcess> StartAsync(CancellationToken cancellationToken) => ServerProcess.StartAsync(build.SiloProgram, models, cancellationToken);

    /// <summary>Silos and gateways for the caller alone.</summary>
    public Task<BenchCluster> StartClusterAsync(int silos, int gateways, CancellationToken cancellationToken) =>
        BenchCluster.StartAsync(build.SiloProgram, models, silos, gateways, cancellationToken);

    /// <summary>Ends what runs; what is asked for afterwards is started again.</summary>
    public async ValueTask DisposeAsync()
    {
        var (single, cluster) = (_single, _cluster);
        (_single, _cluster) = (null, null);
        await (single?.DisposeAsync() ?? default);
        await (cluster?.DisposeAsync() ?? default);
    }
}
