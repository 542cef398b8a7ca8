using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Grpc;

internal sealed class CallLifetimePool(TimeProvider time, ILogger logger)
{
    private const int Capacity = 1024;

    private readonly ConcurrentQueue<CallLifetime> _idle = new();
    private int _count;

    public CallLifetime Rent()
    {
        if (_idle.TryDequeue(out var lifetime))
        {
            Interlocked.Decrement(ref _count);
            return lifetime;
        }

        return new CallLifetime(time, this, logger);
    }

    public void Return(CallLifetime lifetime)
    {
        if (Interlocked.Increment(ref _count) <= Capacity)
        {
            _idle.Enqueue(lifetime);
            return;
        }

        Interlocked.Decrement(ref _count);
        lifetime.Dispose();
    }
}
