using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>Whatever silos do to the table, in any order and with stale knowledge, it stays sound.</summary>
public sealed class MembershipPropertyTests
{
    private const int Sizes = 5;
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(3);

    private enum Kind
    {
        Join,
        Activate,
        ShutDown,
        Vote,
        Settle,
        Kill,
        Lose,
        Look,
    }

    /// <summary>A step: what a silo does, to which, on the view that it last looked at if it is hasty.</summary>
    private sealed record Step(Kind Kind, int Silo, int Target, int Generation, bool Hasty);

    private static readonly Arbitrary<Step[]> Steps = (
        from kind in Gen.Elements(Kind.Join, Kind.Join, Kind.Activate, Kind.Activate, Kind.ShutDown, Kind.Vote, Kind.Vote, Kind.Settle, Kind.Kill, Kind.Look, Kind.Lose)
        from silo in Gen.Choose(1, Sizes)
        from target in Gen.Choose(1, Sizes)
        from generation in Gen.Choose(1, 3)
        from hasty in Gen.Elements(false, false, true)
        select new Step(kind, silo, target, generation, hasty)).ArrayOf().ToArbitrary();

    [Fact]
    public void Table_AfterAnySteps_IsSound() => Prop.ForAll(Steps, steps => RunAsync(steps).GetAwaiter().GetResult()).QuickCheckThrowOnFailure();

    private static async Task<bool> RunAsync(Step[] steps)
    {
        var time = new Cluster.Tests.Common.ManualTimeProvider();
        var table = new InMemoryMembershipTable(time);
        var seen = new Dictionary<SiloAddress, MembershipView>();
        var dead = new HashSet<SiloAddress>();
        var last = MembershipView.None;
        foreach (var step in steps)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            if (step.Kind == Kind.Lose)
            {
                table.Lose();
                (last, seen) = (MembershipView.None, []);
                dead.Clear();
                continue;
            }

            var self = Silos.At(step.Silo, step.Generation);
            var now = (await table.ReadAsync(default))!;
            var basis = step.Hasty && seen.TryGetValue(self, out var old) ? now with { View = old } : now;
            seen[self] = now.View;
            if (Decide(step, self, basis) is not { } next)
            {
                continue;
            }

            var written = await table.TryWriteAsync(basis.View, next, default);
            var after = (await table.ReadAsync(default))!.View;
            if (written == TableWrite.Written != (after.Version > last.Version) || !IsSound(after, dead))
            {
                return false;
            }

            dead.UnionWith(after.Entries.Values.Where(static entry => entry.IsDead).Select(static entry => entry.Silo));
            last = after;
        }

        return true;
    }

    private static MembershipView? Decide(Step step, SiloAddress self, TableReading reading)
    {
        var view = reading.View;
        var target = view.Entries.Keys.FirstOrDefault(silo => silo.Endpoint.Port == Silos.At(step.Target).Endpoint.Port);
        return step.Kind switch
        {
            Kind.Join => MembershipDecisions.Join(view, Silos.Row(self, SiloStatus.Joining), null, $"life{reading.Now.Ticks}", reading.Now).Next,
            Kind.Activate => MembershipDecisions.SetStatus(view, self, SiloStatus.Active, reading.Now),
            Kind.ShutDown => MembershipDecisions.SetStatus(view, self, SiloStatus.ShuttingDown, reading.Now),
            Kind.Settle => MembershipDecisions.Settle(view, self),
            Kind.Kill => MembershipDecisions.SetStatus(view, self, SiloStatus.Dead, reading.Now),
            Kind.Vote when target is not null => MembershipDecisions.Vote(
                view, self, target, MembershipDecisions.VotesNeeded(reading, target, self, Expiry, 2), Expiry, reading.Now),
            _ => null,
        };
    }

    private static bool IsSound(MembershipView view, HashSet<SiloAddress> dead)
    {
        var living = view.Entries.Values.Where(static entry => !entry.IsDead).ToArray();
        return !living.Any(entry => dead.Contains(entry.Silo))
            && living.Select(static entry => entry.Silo.Endpoint.Port).Distinct().Count() == living.Length
            && view.Unsettled.All(silo => !view.IsDead(silo))
            && living.All(static entry => entry.Suspicions.Select(static vote => vote.By).Distinct().Count() == entry.Suspicions.Length)
            && view.Incarnation.Length > 0;
    }
}
