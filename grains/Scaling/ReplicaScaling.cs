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
