using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>
/// Every change of the membership table as a function from one view to the next. Nothing here reads a clock or a network, so the
/// same functions run in silos and in the exhaustive model of the protocol. Null means that there is nothing to change.
/// <para>Death is final: no function brings a dead silo back; a process that was declared dead rejoins as a new generation.</para>
/// </summary>
internal static class MembershipDecisions
{
    /// <summary>Adds a silo that joins, and buries the runs before it on its end point.</summary>
    /// <param name="liveElsewhere">The run on the same end point that is known to live, such as the same address advertised twice.</param>
    /// <param name="newIncarnation">The name of the table's life if the silo makes a new one.</param>
    public static JoinDecision Join(MembershipView view, MembershipEntry joining, SiloAddress? liveElsewhere, string newIncarnation, DateTimeOffset now)
    {
        var others = view.Entries.Values.Where(entry => entry.Silo.Endpoint.Equals(joining.Silo.Endpoint)).ToArray();
        if (others.FirstOrDefault(entry => !entry.Silo.IsPredecessorOf(joining.Silo)) is { } later)
        {
            return new(null, $"{later.Silo} is in the table already, and is not an earlier run than {joining.Silo}: is the clock set back?");
        }

        if (others.FirstOrDefault(entry => !entry.IsDead && entry.Silo == liveElsewhere) is { } live)
        {
            return new(null, $"{live.Silo} is alive on the same end point: is the advertised address right?");
        }

        var next = view.With(joining);
        foreach (var predecessor in others.Where(static entry => !entry.IsDead))
        {
            next = next.With(Bury(predecessor, now));
        }

        next = next with { Version = view.Version + 1 };
        return new(view.Exists ? next : next with { Incarnation = newIncarnation, Unsettled = [joining.Silo] }, null);
    }

    /// <summary>Moves a silo on in its life; never back, and never from the dead.</summary>
    public static MembershipView? SetStatus(MembershipView view, SiloAddress silo, SiloStatus status, DateTimeOffset now) =>
        view.Find(silo) is { } entry && entry.Status < status
            ? view.With(entry with { Status = status, Since = now, Suspicions = status == SiloStatus.Dead ? entry.Suspicions : [] })
            : null;

    /// <summary>Adds a vote, renewed if the voter has one; with enough votes the silo is dead in the same change.</summary>
    /// <param name="needed">From <see cref="VotesNeeded"/>.</param>
    public static MembershipView? Vote(MembershipView view, SiloAddress voter, SiloAddress target, int needed, TimeSpan expiry, DateTimeOffset now)
    {
        if (view.Find(target) is not { IsDead: false } entry || view.Find(voter) is not { Status: SiloStatus.Active } || voter == target)
        {
            return null;
        }

        var votes = FreshVotes(view, entry, expiry, now).Where(vote => vote.By != voter).Append(new Suspicion(voter, now)).ToImmutableArray();
        var suspected = entry with { Suspicions = votes };
        return view.With(votes.Length >= needed ? Bury(suspected, now) : suspected);
    }

    /// <summary>Votes that count: recent ones, of silos that are still active.</summary>
    public static IEnumerable<Suspicion> FreshVotes(MembershipView view, MembershipEntry entry, TimeSpan expiry, DateTimeOffset now) =>
        entry.Suspicions.Where(vote => now - vote.At <= expiry && view.Find(vote.By) is { Status: SiloStatus.Active });

    /// <summary>
    /// How many must vote: the configured number, or all who could if they are fewer. Who could is an active silo other than the target
    /// that says it is alive; so the only survivor of several can clear up alone.
    /// </summary>
    public static int VotesNeeded(TableReading reading, SiloAddress target, SiloAddress voter, TimeSpan aliveExpiration, int configured)
    {
        var able = reading.View.Entries.Values.Count(entry => entry.Status == SiloStatus.Active && entry.Silo != target
            && (entry.Silo == voter || reading.IsFresh(entry.Silo, aliveExpiration)));
        return Math.Clamp(able, 1, configured);
    }

    /// <summary>Notes that a silo has put back what the directory had lost.</summary>
    public static MembershipView? Settle(MembershipView view, SiloAddress silo) =>
        view.Unsettled.Contains(silo) ? view with { Version = view.Version + 1, Unsettled = view.Unsettled.Remove(silo) } : null;

    /// <summary>
    /// Buries silos that gave up while they joined or stopped, and removes those that have been dead for long. Active ones are left
    /// to those who probe them.
    /// </summary>
    public static MembershipView? Prune(TableReading reading, TimeSpan retention)
    {
        var view = reading.View;
        var next = view;
        foreach (var entry in view.Entries.Values)
        {
            var old = reading.Now - entry.Since > retention;
            if (entry.IsDead && old)
            {
                next = next with { Entries = next.Entries.Remove(entry.Silo) };
            }
            else if (!entry.IsDead && entry.Status != SiloStatus.Active && old && !reading.IsFresh(entry.Silo, retention))
            {
                next = next.With(Bury(entry, reading.Now));
            }
        }

        return ReferenceEquals(next, view) ? null : next with { Version = view.Version + 1 };
    }

    /// <summary>
    /// The silos that one silo probes: its successors on a ring ordered by hash, so that each is probed by as many as it probes, and
    /// a change of the membership moves few.
    /// </summary>
    public static ImmutableArray<SiloAddress> Monitored(MembershipView view, SiloAddress self, int count)
    {
        var ring = view.Entries.Values
            .Where(entry => entry.IsServing && entry.Silo != self)
            .Select(static entry => entry.Silo)
            .OrderBy(silo => unchecked((uint)(silo.GetConsistentHashCode() - self.GetConsistentHashCode())))
            .ThenBy(static silo => silo);
        return [.. ring.Take(count)];
    }

    private static MembershipEntry Bury(MembershipEntry entry, DateTimeOffset now) => entry with { Status = SiloStatus.Dead, Since = now };
}
