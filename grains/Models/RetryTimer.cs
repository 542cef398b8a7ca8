namespace Cluster.Grains.Models;

/// <summary>Has a grain look at tries that are due, at the earliest of the requested times. Keeps the grain active meanwhile.</summary>
/// <param name="look">Runs in a turn of the grain.</param>
internal sealed class RetryTimer(Grain grain, Func<Task> look, TimeProvider time)
{
    /// <summary>Least time between two tries of a load that found no room.</summary>
    private static readonly TimeSpan Min = TimeSpan.FromSeconds(1);

    private IGrainTimer? _timer;
    private DateTimeOffset _at;

    /// <summary>Most time between two looks, so that the grain is not collected meanwhile.</summary>
    public static TimeSpan Max { get; } = TimeSpan.FromMinutes(1);

    public bool IsSet => _timer is not null;

    /// <summary>A look that comes too early for one of its reasons has to ask for the next.</summary>
    /// <param name="wait">At least a second. A look comes after <see cref="Max"/> at the latest.</param>
    public void LookIn(TimeSpan wait)
    {
        wait = wait > Min ? wait : Min;
        var at = time.GetUtcNow() + wait;
        if (_timer is not null && _at <= at)
        {
            return;
        }

        _at = at;
        _timer?.Dispose();
        _timer = grain.RegisterGrainTimer(
            static (self, _) => self.LookAsync(),
            this,
            new GrainTimerCreationOptions(wait < Max ? wait : Max, Max) { KeepAlive = true });
    }

    private Task LookAsync()
    {
        _timer?.Dispose();
        _timer = null;
        return look();
    }
}
