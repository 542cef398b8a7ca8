namespace Cluster.Runtime;

/// <summary>A timer of one activation. Disposing it stops it and cancels the token of a tick that runs.</summary>
public interface IGrainTimer : IDisposable
{
    /// <summary>Starts anew: the next tick after <paramref name="dueTime"/>, then one <paramref name="period"/> after each tick has ended.</summary>
    /// <param name="dueTime">Zero: at once. <see cref="Timeout.InfiniteTimeSpan"/>: never.</param>
    /// <param name="period"><see cref="Timeout.InfiniteTimeSpan"/>: a single tick.</param>
    void Change(TimeSpan dueTime, TimeSpan period);
}
