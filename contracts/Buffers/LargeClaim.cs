namespace Cluster.Contracts.Buffers;

/// <summary>
/// A large array in use, as <see cref="PayloadPool.LargeBytes"/> counts it. Orleans may drop a payload that has arrived; once the collector finds that, the array counts no more. Its memory
/// never goes back to the pool so: a system call may still use it.
/// </summary>
/// <param name="pool">Which handed the array out.</param>
/// <param name="bytes">Of the whole array.</param>
internal sealed class LargeClaim(PayloadPool pool, int bytes) : IDisposable
{
    ~LargeClaim() => pool.Forget(bytes);

    public PayloadPool Pool => pool;

    /// <summary>Before the array goes back, which counts it.</summary>
    public void Dispose() => GC.SuppressFinalize(this);
}
