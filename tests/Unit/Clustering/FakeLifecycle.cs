namespace Cluster.Unit.Clustering;

/// <summary>The lifecycle of a silo with one participant.</summary>
internal sealed class FakeLifecycle : ISiloLifecycle
{
    private ILifecycleObserver? _observer;

    public int HighestCompletedStage => 0;

    public int LowestStoppedStage => 0;

    public IDisposable Subscribe(string observerName, int stage, ILifecycleObserver observer)
    {
        _observer = observer;
        return new MemoryStream();
    }

    public Task StartAsync() => _observer!.OnStart(CancellationToken.None);

    public Task StopAsync() => _observer!.OnStop(CancellationToken.None);
}
