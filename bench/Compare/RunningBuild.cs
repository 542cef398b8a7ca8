using Cluster.Bench.Server;
using Cluster.Bench.Silos;

namespace Cluster.Bench.Compare;

/// <summary>A build with what was started of it; ended on disposal.</summary>
/// <param name="models">The models that are served.</param>
internal sealed class RunningBuild(Build build, string models) : IAsyncDisposable
{
    private ServerProcess? _single;

    public Build Build => build;

    public string Models => models;

    /// <summary>One process with everything; started when it is first asked for.</summary>
    public async Task<Target> SingleAsync(CancellationToken cancellationToken)
    {
        _single ??= await StartAsync(cancellationToken);
        return new Target(_single.Server.Grpc, _single.Server.Http, [_single.Server.ProcessId!.Value]);
    }

    /// <summary>One process with everything, for the caller alone.</summary>
    public Task<ServerProcess> StartAsync(CancellationToken cancellationToken) => ServerProcess.StartAsync(build.SiloProgram, models, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_single is { } single)
        {
            _single = null;
            await single.DisposeAsync();
        }
    }
}
