using System.Collections.Immutable;
using System.Globalization;

namespace Cluster.Grains.Scaling;

/// <summary>
/// Decides on the replicas of one version of a model. Pure; asked every few seconds.
/// <list type="number">
/// <item>Bounds come first: fewer than the least or more than the most is put right.</item>
/// <item>A replica that has more to do than one should gets as many beside it as the work asks for, once in a while.</item>
/// <item>A model whose use lasts gets a second replica, if memory is not short.</item>
/// <item>Replicas go one at a time, slowly, only where memory is short, and only if the others have ease with the work.</item>
/// </list>
/// The last replica is never taken away here: that is the cache's business.
/// </summary>
public static class ReplicaScaling
{
    public static ScalingDecision Decide(ScalingInput input, ScalingOptions options)
    {
        var count = input.Copies.Length;
        if (count < input.Min)
        {
            return Add(input, input.Min - count, ScalingCause.Minimum, $"fewer than the least, {Text(input.Min)}");
        }

        if (count > input.Max)
        {
            return new ScalingDecision(0, LeastUsed(input), false, $"more than the most, {Text(input.Max)}", ScalingCause.Maximum);
        }

        var more = ForLoad(input, options);
        if (more == ScalingDecision.None)
        {
            more = ForLastingUse(input, options);
        }

        return more == ScalingDecision.None ? Fewer(input, options) : more;
    }

    /// <summary>Requests a minute that one replica should have at most.</summary>
    public static double Threshold(ReplicaUtilization replica, ScalingOptions options) =>
        replica.Samples >= options.MinSamples && replica.MeanRunTime > TimeSpan.Zero
            ? replica.Concurrency / replica.MeanRunTime.TotalMinutes * options.CapacityShare
            : options.RequestsPerMinute;

    private static ScalingDecision ForLoad(ScalingInput input, ScalingOptions options)
    {
        if (input.Copies.IsEmpty || input.SinceAdded < options.AddInterval || input.Copies.Any(replica => replica.LoadedFor is null))
        {
            return ScalingDecision.None;
        }

        var load = Load(input, options);
        if (load < input.Copies.Length)
        {
            return ScalingDecision.None;
        }

        var wanted = Math.Max(Math.Ceiling(load), input.Copies.Length + 1) - input.Copies.Length;
        var most = Math.Max(2, input.Silos * options.MaxAddedShare);
        var why = string.Create(CultureInfo.InvariantCulture, $"the work of {load:0.0} replicas");
        return Add(input, (int)Math.Min(wanted, most), ScalingCause.Load, why);
    }

    private static ScalingDecision ForLastingUse(ScalingInput input, ScalingOptions options)
    {
        var roomy = input.FreeShare >= options.SecondCopyFreeShare || input.OldestIdle > options.SecondCopyOldestIdle;
        return input is { Copies.Length: 1, IsLasting: true } && roomy && input.Copies[0].LoadedFor is not null
            ? Add(input, 1, ScalingCause.LastingUse, "its use lasts")
            : ScalingDecision.None;
    }

    private static ScalingDecision Fewer(ScalingInput input, ScalingOptions options)
    {
        var count = input.Copies.Length;
        if (count <= Math.Max(1, input.Min)
            || input.FreeShare > options.RemoveFreeShare
            || input.SinceRemoved < options.RemoveInterval
            || input.SinceAdded < options.RemoveAfterLoad
            || input.Copies.Any(replica => replica.LoadedFor is null || replica.LoadedFor < options.RemoveAfterLoad || replica.Waiting > 1)
            || Load(input, options) > (count - 1) * options.RemoveLoadShare
            || (count == 2 && !IsSecondUnused(input, options)))
        {
            return ScalingDecision.None;
        }

        return new ScalingDecision(0, LeastUsed(input), false, "memory is short and the others suffice", ScalingCause.ShortMemory);
    }

    private static bool IsSecondUnused(ScalingInput input, ScalingOptions options)
    {
        var share = (input.OldestIdle ?? TimeSpan.Zero) * options.SecondCopyIdleShare;
        var limit = share < options.SecondCopyMaxIdle ? share : options.SecondCopyMaxIdle;
        return input.Copies.Min(replica => replica.Idle) is var idle && idle > TimeSpan.Zero && idle >= limit;
    }

    /// <summary>The work in replicas: how many would each have just as much to do as one should.</summary>
    private static double Load(ScalingInput input, ScalingOptions options) =>
        input.Copies.Sum(replica => replica.RequestsPerMinute / Threshold(replica, options));

    private static int LeastUsed(ScalingInput input) =>
        input.Copies.OrderBy(replica => replica.RequestsPerMinute).ThenByDescending(replica => replica.Idle).ThenByDescending(replica => replica.Copy).First().Copy;

    private static ScalingDecision Add(ScalingInput input, int wanted, ScalingCause cause, string reason)
    {
        var count = Math.Min(wanted, Math.Min(input.Candidates, input.Max - input.Copies.Length));
        return count > 0 ? new ScalingDecision(count, null, cause == ScalingCause.Load, reason, cause) : ScalingDecision.None;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>What to do with a version's replicas.</summary>
/// <param name="Add">Replicas to add.</param>
/// <param name="Remove">The number of the replica to take away, or null.</param>
/// <param name="ForLoad">Whether replicas are added because of what there is to do, so that busy silos are no place for them.</param>
/// <param name="Reason">For the log; empty where nothing is to be done.</param>
/// <param name="Cause">The same for the metrics.</param>
public readonly record struct ScalingDecision(int Add, int? Remove, bool ForLoad, string Reason, ScalingCause Cause)
{
    public static ScalingDecision None { get; } = new(0, null, false, "", ScalingCause.None);
}

/// <summary>Why replicas come or go.</summary>
public enum ScalingCause
{
    None,

    /// <summary>Fewer than the least.</summary>
    Minimum,

    /// <summary>More than the most.</summary>
    Maximum,

    /// <summary>More to do than the replicas should have.</summary>
    Load,

    /// <summary>The use of the model lasts.</summary>
    LastingUse,

    /// <summary>Memory is short, and the others suffice.</summary>
    ShortMemory,
}

/// <summary>All that a decision on a version's replicas depends on.</summary>
public sealed record ScalingInput
{
    public required ImmutableArray<ReplicaUtilization> Copies { get; init; }

    /// <summary>Least replicas of the model, at least 1.</summary>
    public int Min { get; init; } = 1;

    /// <summary>Most replicas of the model, at least <see cref="Min"/>.</summary>
    public int Max { get; init; } = int.MaxValue;

    /// <summary>Silos that could take another replica.</summary>
    public required int Candidates { get; init; }

    /// <summary>Silos in all.</summary>
    public required int Silos { get; init; }

    /// <summary>Free share of all silos' capacity, 0 to 1.</summary>
    public required double FreeShare { get; init; }

    /// <summary>Since the longest unused replica of all models was used; null where none is known.</summary>
    public TimeSpan? OldestIdle { get; init; }

    /// <summary>Whether the use of the model lasts, see <see cref="UseHistory"/>.</summary>
    public bool IsLasting { get; init; }

    /// <summary>Since replicas were added; null: never.</summary>
    public TimeSpan? SinceAdded { get; init; }

    /// <summary>Since a replica was taken away; null: never.</summary>
    public TimeSpan? SinceRemoved { get; init; }
}

/// <summary>What one replica has to do.</summary>
/// <param name="Copy">Its number.</param>
/// <param name="RequestsPerMinute">In the latest interval.</param>
/// <param name="Waiting">Requests in its queue.</param>
/// <param name="Idle">Since its last use; zero while it is used.</param>
/// <param name="LoadedFor">Since it was loaded; null while it loads.</param>
/// <param name="MeanRunTime">Of one request.</param>
/// <param name="Samples">Runs that <paramref name="MeanRunTime"/> is of.</param>
/// <param name="Concurrency">Requests that it runs at once, at least 1.</param>
public readonly record struct ReplicaUtilization(
    int Copy, double RequestsPerMinute, int Waiting, TimeSpan Idle, TimeSpan? LoadedFor, TimeSpan MeanRunTime, int Samples, int Concurrency);
