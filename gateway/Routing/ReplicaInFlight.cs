namespace Cluster.Gateway.Routing;

/// <summary>Requests of this gateway that a replica has not answered yet. Thread-safe, lock-free.</summary>
internal sealed class ReplicaInFlight
{
    private int _inFlight;

    public int InFlight => Volatile.Read(ref _inFlight);

    public void Begin() => Interlocked.Increment(ref _inFlight);

    public void End() => Interlocked.Decrement(ref _inFlight);
}
