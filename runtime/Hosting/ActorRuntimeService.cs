using Microsoft.Extensions.Hosting;

namespace Cluster.Runtime;

/// <summary>Runs the runtime with its host: the heartbeat while it is up, the deactivation of everything when it stops.</summary>
internal sealed class ActorRuntimeService(ActorRuntime runtime) : IHostedService, IDisposable
{
    private readonly Lock _beating = new();
    private ITimer? _heartbeat;
    private long _lastCollection;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _lastCollection = runtime.Time.GetTimestamp();
        var interval = runtime.Options.HeartbeatInterval;
        _heartbeat = runtime.Time.CreateTimer(static state => ((ActorRuntimeService)state!).Beat(), this, interval, interval);
        Log.Started(runtime.Logger, runtime.Silo.SiloAddress, runtime.Silo.ClusterId, runtime.Manifest.Classes.Count());
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await runtime.Catalog.StopAsync(cancellationToken).ConfigureAwait(false);
        Log.Stopped(runtime.Logger, runtime.Silo.SiloAddress);
    }

    public void Dispose() => _heartbeat?.Dispose();

    private void Beat()
    {
        // A beat that takes longer than the interval makes the next one superfluous.
        if (!_beating.TryEnter())
        {
            return;
        }

        try
        {
            runtime.Clock.Beat();
            runtime.Pending.Sweep();
            if (runtime.Time.GetElapsedTime(_lastCollection) >= runtime.Options.CollectionQuantum)
            {
                _lastCollection = runtime.Time.GetTimestamp();
                runtime.Catalog.CollectIdle();
            }
        }
        finally
        {
            _beating.Exit();
        }
    }
}
