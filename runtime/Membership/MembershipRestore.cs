namespace Cluster.Runtime;

/// <summary>
/// What to do when the table that was read does not follow on the one that was known: Redis was restarted without its data or with
/// older data. Pure, as <see cref="MembershipDecisions"/>.
/// <list type="bullet">
/// <item>Nothing there, or older than what was known, or begun by a newcomer that knew nothing: the first silo to see it writes all that it knows as a new life of the table,
/// with a larger version than either, and every silo in it has to put back its directory entries.</item>
/// <item>Another life, which others began with what they knew: a silo adds its own row, and the deaths that it knows of. The dead stay dead.</item>
/// <item>The same life without the silo's row: it was removed after its death.</item>
/// </list>
/// </summary>
internal static class MembershipRestore
{
    /// <param name="known">What the silo knew; it must have been known before <paramref name="read"/> was asked for.</param>
    /// <param name="newIncarnation">The name of the table's next life if one begins.</param>
    public static (RestoreDecision Decision, MembershipView? Next) Decide(
        MembershipView known, MembershipView read, SiloAddress self, string newIncarnation)
    {
        if (read.Exists && read.Incarnation == known.Incarnation && read.Version >= known.Version)
        {
            return (read.IsDead(self) ? RestoreDecision.Terminate : RestoreDecision.Accept, null);
        }

        if (read.Find(self) is { IsDead: true } || known.IsDead(self))
        {
            return (RestoreDecision.Terminate, null);
        }

        return read.Version > known.Version ? JoinNewLife(known, read, self) : BeginNewLife(known, read, newIncarnation);
    }

    private static (RestoreDecision Decision, MembershipView? Next) BeginNewLife(MembershipView known, MembershipView read, string newIncarnation)
    {
        var rows = read.Entries.ToBuilder();
        foreach (var entry in known.Entries.Values)
        {
            rows[entry.Silo] = Merge(rows.GetValueOrDefault(entry.Silo), entry);
        }

        var next = new MembershipView(
            Math.Max(known.Version, read.Version) + 1,
            newIncarnation,
            rows.ToImmutable(),
            [.. rows.Values.Where(static entry => !entry.IsDead).Select(static entry => entry.Silo)]);
        return (RestoreDecision.PutBack, next);
    }

    private static (RestoreDecision Decision, MembershipView? Next) JoinNewLife(MembershipView known, MembershipView read, SiloAddress self)
    {
        var rows = read.Entries.ToBuilder();
        foreach (var entry in known.Entries.Values.Where(entry => entry.IsDead || entry.Silo == self))
        {
            rows[entry.Silo] = Merge(rows.GetValueOrDefault(entry.Silo), entry);
        }

        var unsettled = read.Unsettled.Except(rows.Values.Where(static entry => entry.IsDead).Select(static entry => entry.Silo));
        if (read.Find(self) is null)
        {
            unsettled = unsettled.Add(self);
        }

        var merged = rows.ToImmutable();
        var unchanged = merged.Count == read.Entries.Count && merged.Values.All(entry => read.Find(entry.Silo)!.Status == entry.Status);
        return unchanged
            ? (RestoreDecision.Accept, null)
            : (RestoreDecision.PutBack, new MembershipView(read.Version + 1, read.Incarnation, merged, unsettled));
    }

    // A life only moves forward, so the later status is the right one; None and Created are never written.
    private static MembershipEntry Merge(MembershipEntry? read, MembershipEntry known) => read is null || known.Status > read.Status ? known : read;
}
