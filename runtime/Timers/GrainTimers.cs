namespace Cluster.Runtime;

/// <summary>The timers of one activation; disposed with it.</summary>
internal sealed class GrainTimers(Activation activation) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<GrainTimer> _timers = [];
    private bool _disposed;

    public IGrainTimer Register<TState>(Func<TState, CancellationToken, Task> callback, TState state, GrainTimerCreationOptions options)
    {
        var timer = new GrainTimer(activation, token => callback(state, token), options);
        lock (_lock)
        {
            if (_disposed)
            {
                timer.Dispose();
                throw new InvalidOperationException($"{activation.GrainId} is ending and starts no timer");
            }

            _timers.Add(timer);
        }

        timer.Change(options.DueTime, options.Period);
        return timer;
    }

    public void Remove(GrainTimer timer)
    {
        lock (_lock)
        {
            _timers.Remove(timer);
        }
    }

    public void Dispose()
    {
        GrainTimer[] timers;
        lock (_lock)
        {
            _disposed = true;
            timers = [.. _timers];
        }

        foreach (var timer in timers)
        {
            timer.Dispose();
        }
    }
}
