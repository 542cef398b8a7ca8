namespace Cluster.Runtime;

/// <summary>
/// Whether a silo that cannot reach another may vote against it. Pure. The rules keep a minority that is cut off from removing the
/// majority:
/// <list type="bullet">
/// <item>Whoever answers another silo is not dead.</item>
/// <item>The voter must itself reach more than half of the silos that are believed to live, itself included; at exactly half, the
/// half with the smallest address may vote.</item>
/// <item>Believed to live is a silo that says so in the table. The target counts too unless its end point refuses connections; so
/// of two silos that cannot reach each other but both reach the table, only the one with the smaller address may vote, and a lone
/// survivor may once the other's sign of life in the table is stale, or its port is closed.</item>
/// </list>
/// </summary>
internal static class SuspicionJudge
{
    /// <param name="targetLives">The target says in the table that it is alive, and its end point does not refuse connections.</param>
    /// <param name="answers">The others that are believed to live, and whether each answered the voter.</param>
    /// <param name="targetAnswersOthers">One of the others has reached the target.</param>
    public static SuspicionVerdict Judge(
        SiloAddress self, SiloAddress target, bool targetLives, IReadOnlyCollection<KeyValuePair<SiloAddress, bool>> answers, bool targetAnswersOthers)
    {
        if (targetAnswersOthers)
        {
            return SuspicionVerdict.AnswersOthers;
        }

        var reached = answers.Where(static answer => answer.Value).Select(static answer => answer.Key).Append(self).ToArray();
        var living = answers.Select(static answer => answer.Key).Append(self).Concat(targetLives ? [target] : []).ToArray();
        var isMajority = 2 * reached.Length > living.Length || (2 * reached.Length == living.Length && Array.IndexOf(reached, living.Min()!) >= 0);
        return isMajority ? SuspicionVerdict.Vote : SuspicionVerdict.SelfIsolated;
    }
}
