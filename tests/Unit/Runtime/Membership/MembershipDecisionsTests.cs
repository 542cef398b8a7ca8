using Xunit;

namespace Cluster.Unit.Runtime.Membership;

public sealed class MembershipDecisionsTests
{
    private static readonly TimeSpan Expiry = TimeSpan.FromSeconds(10);

    [Fact]
    public void Join_WithoutATable_MakesOne()
    {
        var next = MembershipDecisions.Join(MembershipView.None, Silos.Row(Silos.A, SiloStatus.Joining), null, "new", Silos.Start).Next!;

        Assert.Equal((1, "new"), (next.Version, next.Incarnation));
        Assert.Equal([Silos.A], next.Unsettled);
        Assert.Equal(SiloStatus.Joining, next.Find(Silos.A)!.Status);
    }

    [Fact]
    public void Join_AfterARunOnTheSameEndpoint_BuriesIt()
    {
        var view = Silos.Table(Silos.A, Silos.B) with { Unsettled = [Silos.A] };

        var next = MembershipDecisions.Join(view, Silos.Row(Silos.At(1, 2), SiloStatus.Joining), null, "new", Silos.Start).Next!;

        Assert.Equal((11, "one"), (next.Version, next.Incarnation));
        Assert.True(next.IsDead(Silos.A));
        Assert.Empty(next.Unsettled);
        Assert.Equal(SiloStatus.Active, next.Find(Silos.B)!.Status);
    }

    [Fact]
    public void Join_WhileTheOtherRunLives_IsRefused()
    {
        var decision = MembershipDecisions.Join(Silos.Table(Silos.A), Silos.Row(Silos.At(1, 2)), Silos.A, "new", Silos.Start);

        Assert.Null(decision.Next);
        Assert.Contains("alive", decision.Refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Join_WithAnOldGeneration_IsRefused(int generation)
    {
        var view = Silos.Table(Silos.Row(Silos.At(1, 2), SiloStatus.Dead));

        Assert.Null(MembershipDecisions.Join(view, Silos.Row(Silos.At(1, generation)), null, "new", Silos.Start).Next);
    }

    [Theory]
    [InlineData(SiloStatus.Joining, SiloStatus.Active, true)]
    [InlineData(SiloStatus.Active, SiloStatus.Active, false)]
    [InlineData(SiloStatus.ShuttingDown, SiloStatus.Active, false)]
    [InlineData(SiloStatus.Dead, SiloStatus.Active, false)]
    [InlineData(SiloStatus.Joining, SiloStatus.Dead, true)]
    public void SetStatus_OnlyGoesForward(SiloStatus from, SiloStatus to, bool changes) =>
        Assert.Equal(changes, MembershipDecisions.SetStatus(Silos.Table(Silos.Row(Silos.A, from)), Silos.A, to, Silos.Start) is not null);

    [Fact]
    public void Vote_EnoughDistinctOnes_AreDeath()
    {
        var view = Silos.Table(Silos.A, Silos.B, Silos.C);

        var one = MembershipDecisions.Vote(view, Silos.A, Silos.C, 2, Expiry, Silos.Start)!;
        var same = MembershipDecisions.Vote(one, Silos.A, Silos.C, 2, Expiry, Silos.Start.AddSeconds(1))!;
        var two = MembershipDecisions.Vote(same, Silos.B, Silos.C, 2, Expiry, Silos.Start.AddSeconds(2))!;

        Assert.False(one.IsDead(Silos.C));
        Assert.False(same.IsDead(Silos.C));
        Assert.True(two.IsDead(Silos.C));
        Assert.Equal(13, two.Version);
        Assert.Equal([Silos.A, Silos.B], two.Find(Silos.C)!.Suspicions.Select(static vote => vote.By));
    }

    [Fact]
    public void Vote_Expired_DoesNotCount()
    {
        var one = MembershipDecisions.Vote(Silos.Table(Silos.A, Silos.B, Silos.C), Silos.A, Silos.C, 2, Expiry, Silos.Start)!;

        var late = MembershipDecisions.Vote(one, Silos.B, Silos.C, 2, Expiry, Silos.Start + Expiry + TimeSpan.FromMilliseconds(1))!;

        Assert.False(late.IsDead(Silos.C));
    }

    [Fact]
    public void Vote_OfASiloThatDiedSince_DoesNotCount()
    {
        var one = MembershipDecisions.Vote(Silos.Table(Silos.A, Silos.B, Silos.C, Silos.At(4)), Silos.A, Silos.C, 2, Expiry, Silos.Start)!;
        var without = MembershipDecisions.SetStatus(one, Silos.A, SiloStatus.Dead, Silos.Start)!;

        Assert.False(MembershipDecisions.Vote(without, Silos.B, Silos.C, 2, Expiry, Silos.Start)!.IsDead(Silos.C));
    }

    [Theory]
    [InlineData(SiloStatus.Joining)]
    [InlineData(SiloStatus.ShuttingDown)]
    [InlineData(SiloStatus.Dead)]
    public void Vote_OfASiloThatIsNotActive_IsNone(SiloStatus status) => Assert.Null(
        MembershipDecisions.Vote(Silos.Table(Silos.Row(Silos.A, status), Silos.Row(Silos.B)), Silos.A, Silos.B, 1, Expiry, Silos.Start));

    [Fact]
    public void VotesNeeded_CountsOnlySilosThatSayTheyLive()
    {
        var view = Silos.Table(Silos.A, Silos.B, Silos.C);
        var age = TimeSpan.FromSeconds(2);

        Assert.Equal(2, MembershipDecisions.VotesNeeded(Silos.Read(view, Silos.A, Silos.B, Silos.C), Silos.C, Silos.A, age, 2));
        Assert.Equal(1, MembershipDecisions.VotesNeeded(Silos.Read(view, Silos.A, Silos.C), Silos.C, Silos.A, age, 2));
        Assert.Equal(1, MembershipDecisions.VotesNeeded(Silos.Read(Silos.Table(Silos.A, Silos.B), Silos.A, Silos.B), Silos.B, Silos.A, age, 2));
        Assert.Equal(1, MembershipDecisions.VotesNeeded(Silos.Read(view), Silos.C, Silos.A, age, 2));
    }

    [Fact]
    public void Monitored_EachSiloIsMonitoredByAsMany()
    {
        SiloAddress[] silos = [.. Enumerable.Range(1, 10).Select(static number => Silos.At(number))];
        var view = Silos.Table(silos);

        var counts = silos.SelectMany(silo => MembershipDecisions.Monitored(view, silo, 3)).CountBy(static silo => silo).ToDictionary();

        Assert.Equal(10, counts.Count);
        Assert.All(counts.Values, static count => Assert.Equal(3, count));
        Assert.All(silos, silo => Assert.DoesNotContain(silo, MembershipDecisions.Monitored(view, silo, 3)));
    }

    [Fact]
    public void Monitored_WithoutOneSilo_ChangesOnlyForThoseThatMonitoredIt()
    {
        SiloAddress[] silos = [.. Enumerable.Range(1, 10).Select(static number => Silos.At(number))];
        var view = Silos.Table(silos);
        var without = view.With(Silos.Row(silos[4], SiloStatus.Dead));

        foreach (var silo in silos.Where(silo => silo != silos[4] && !MembershipDecisions.Monitored(view, silo, 3).Contains(silos[4])))
        {
            Assert.Equal(MembershipDecisions.Monitored(view, silo, 3).AsEnumerable(), MembershipDecisions.Monitored(without, silo, 3));
        }
    }

    [Fact]
    public void Prune_RemovesTheLongDeadAndBuriesThoseThatGaveUp()
    {
        var view = Silos.Table(
            Silos.Row(Silos.A), Silos.Row(Silos.B, SiloStatus.Dead), Silos.Row(Silos.C, SiloStatus.Joining), Silos.Row(Silos.At(4), SiloStatus.Joining));
        var later = Silos.Read(view, Silos.A, Silos.At(4)) with { Now = Silos.Start.AddMinutes(11) };
        later = later with { LastAlive = later.LastAlive.SetItem(Silos.At(4), later.Now) };

        var next = MembershipDecisions.Prune(later, TimeSpan.FromMinutes(10))!;

        Assert.Equal(11, next.Version);
        Assert.Null(next.Find(Silos.B));
        Assert.Equal(SiloStatus.Dead, next.Find(Silos.C)!.Status);
        Assert.Equal(SiloStatus.Joining, next.Find(Silos.At(4))!.Status);
        Assert.Equal(SiloStatus.Active, next.Find(Silos.A)!.Status);
        Assert.Null(MembershipDecisions.Prune(Silos.Read(view), TimeSpan.FromMinutes(10)));
    }
}
