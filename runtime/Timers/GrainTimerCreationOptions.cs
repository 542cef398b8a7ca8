using System.Diagnostics.CodeAnalysis;

namespace Cluster.Runtime;

/// <summary>When a grain timer ticks and how its ticks mix with requests.</summary>
#pragma warning disable CA1815 // Nobody compares options.
public readonly struct GrainTimerCreationOptions()
#pragma warning restore CA1815
{
    [SetsRequiredMembers]
    public GrainTimerCreationOptions(TimeSpan dueTime, TimeSpan period)
        : this()
    {
        DueTime = dueTime;
        Period = period;
    }

    /// <summary>Until the first tick. <see cref="Timeout.InfiniteTimeSpan"/>: not before <see cref="IGrainTimer.Change"/>.</summary>
    public required TimeSpan DueTime { get; init; }

    /// <summary>From the end of one tick to the next. <see cref="Timeout.InfiniteTimeSpan"/>: a single tick.</summary>
    public required TimeSpan Period { get; init; }

    /// <summary>True: ticks interleave with requests. False (default): a tick waits for the running request and keeps others waiting.</summary>
    public bool Interleave { get; init; }

    /// <summary>True: a tick counts as use, so that the grain is not collected for being idle. Default false.</summary>
    public bool KeepAlive { get; init; }
}
