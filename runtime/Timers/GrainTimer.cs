using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// A timer and at the same time the request that each of its ticks is: the clock's timer fires once, the tick runs as a turn,
/// and its end arms the clock's timer again. So ticks cannot overlap.
/// </summary>
internal sealed class GrainTimer : GrainRequest, IGrainTimer
{
    private readonly Lock _lock = new();
    private readonly Activation _activation;
    private readonly Func<CancellationToken, Task> _callback;
    private readonly GrainTimerCreationOptions _options;
    private readonly CancellationTokenSource _cancellation = new();
    private readonly ITimer _clock;
    private TimeSpan _period;
    private TimeSpan? _changedDueTime;
    private bool _ticking;
    private Task? _tick;
    private volatile bool _disposed;

    public GrainTimer(Activation activation, Func<CancellationToken, Task> callback, GrainTimerCreationOptions options)
    {
        _activation = activation;
        _callback = callback;
        _options = options;

        // The timer outlives the request that registers it, whose async-local values are not the ticks'.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _clock = activation.Runtime.Time.CreateTimer(
                static state => ((GrainTimer)state!).OnDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    internal override bool Interleaves => _options.Interleave;

    internal override bool KeepsAlive => _options.KeepAlive;

    internal override bool IsAbandoned => _disposed;

    public void Change(TimeSpan dueTime, TimeSpan period)
    {
        ThrowUnlessTime(dueTime, nameof(dueTime));
        ThrowUnlessTime(period, nameof(period));
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _period = period;
            if (_ticking)
            {
                _changedDueTime = dueTime;
            }
            else
            {
                _clock.Change(dueTime, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _clock.Dispose();
        }

        _activation.Timers.Remove(this);
        _ = _cancellation.CancelAsync();
    }

    internal override bool Start(Activation activation)
    {
        try
        {
            _tick = _callback(_cancellation.Token);
        }
#pragma warning disable CA1031 // Logged with the other ways a tick can fail.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _tick = Task.FromException(exception);
        }

        if (_tick.IsCompleted)
        {
            EndTick();
            return true;
        }

        _tick.GetAwaiter().UnsafeOnCompleted(() =>
        {
            EndTick();
            _activation.OnRequestEnded(this);
        });
        return false;
    }

    internal override void Park()
    {
    }

    internal override void Fail(Exception exception) => Dispose();

    internal override void Reroute() => Dispose();

    private void OnDue()
    {
        lock (_lock)
        {
            if (_disposed || _ticking)
            {
                return;
            }

            _ticking = true;
        }

        _activation.Receive(this);
    }

    private void EndTick()
    {
        if (_tick!.Exception?.InnerException is { } exception)
        {
            Log.TimerFailed(_activation.Runtime.Logger, _activation.GrainId, exception);
            _activation.Runtime.Metrics.TimerFailed(_activation.Class);
        }

        lock (_lock)
        {
            _ticking = false;
            if (!_disposed)
            {
                _clock.Change(_changedDueTime ?? (_period == TimeSpan.Zero ? TimeSpan.FromMilliseconds(1) : _period), Timeout.InfiniteTimeSpan);
                _changedDueTime = null;
            }
        }
    }

    private static void ThrowUnlessTime(TimeSpan value, string name)
    {
        if (value != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero, name);
        }
    }
}
