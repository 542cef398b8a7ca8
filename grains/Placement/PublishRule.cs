namespace Cluster.Grains.Placement;

/// <summary>Whether a silo's state has changed by enough to be published again. Pure.</summary>
public static class PublishRule
{
    /// <param name="published">What others know; null if they know nothing yet.</param>
    /// <param name="elapsed">Time since that was published.</param>
    public static bool IsDue(SiloState? published, SiloState now, TimeSpan elapsed, PublishOptions options)
    {
        if (published is null || elapsed >= options.MaxInterval || now.Draining != published.Draining || now.Disagrees != published.Disagrees)
        {
            return true;
        }

        return elapsed >= options.MinInterval && IsSignificant(published, now, elapsed, options);
    }

    private static bool IsSignificant(SiloState before, SiloState now, TimeSpan elapsed, PublishOptions options) =>
        !before.Labels.SetEquals(now.Labels)
        || before.Version != now.Version
        || Differs(before.Capacity, now.Capacity, options.CapacityShare * before.Capacity)
        || Differs(before.Used, now.Used, options.UsedShare * before.Used)
        || IsFull(before, options) != IsFull(now, options)
        || Differs(before.Copies, now.Copies, Math.Min(options.Copies, options.CopiesShare * before.Copies))
        || (before.Loading == 0) != (now.Loading == 0)
        || Math.Abs(before.Loading - now.Loading) >= options.Loading
        || Differs(before.RequestsPerMinute, now.RequestsPerMinute, Math.Max(options.Requests, options.RequestsShare * before.RequestsPerMinute))
        || IdleDiffers(before.OldestIdle, now.OldestIdle, elapsed, options);

    private static bool Differs(double before, double now, double limit) => before != now && Math.Abs(now - before) >= limit;

    private static bool IsFull(SiloState state, PublishOptions options) => state.Free < state.Capacity * options.FullShare;

    /// <summary>An entry ages by itself, which every reader can reckon.</summary>
    private static bool IdleDiffers(TimeSpan? before, TimeSpan? now, TimeSpan elapsed, PublishOptions options)
    {
        if (before is not { } published || now is not { } current)
        {
            return before is null != now is null;
        }

        var expected = published + elapsed;
        var limit = Math.Min(options.Idle.TotalSeconds, options.IdleShare * expected.TotalSeconds);
        return Differs(expected.TotalSeconds, current.TotalSeconds, Math.Max(limit, 1));
    }
}
