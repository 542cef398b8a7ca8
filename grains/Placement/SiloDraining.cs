namespace Cluster.Grains.Placement;

/// <summary>Whether this silo is about to leave. Safe from any thread.</summary>
public sealed class SiloDraining
{
    private int _begun;

    /// <summary>Called once, when the silo begins to leave.</summary>
    public event Action? Begun;

    public bool HasBegun => Volatile.Read(ref _begun) == 1;

    /// <summary>Takes nothing new from now on; others are told at once. Doing so twice does no harm.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 0)
        {
            Begun?.Invoke();
        }
    }
}
