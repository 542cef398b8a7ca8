using Xunit;

namespace Cluster.Unit.Runtime.Membership;

public sealed class MembershipRestoreTests
{
    private static readonly MembershipView Known = Silos.Table(Silos.Row(Silos.A), Silos.Row(Silos.B), Silos.Row(Silos.C, SiloStatus.Dead));

    private static (RestoreDecision Decision, MembershipView? Next) Decide(MembershipView read) => MembershipRestore.Decide(Known, read, Silos.A, "new");

    [Fact]
    public void Read_ThatFollowsOn_IsAccepted() =>
        Assert.Equal(RestoreDecision.Accept, Decide(Known.With(Silos.Row(Silos.At(4)))).Decision);

    [Fact]
    public void Read_WithTheSiloDead_Terminates() =>
        Assert.Equal(RestoreDecision.Terminate, Decide(Known.With(Silos.Row(Silos.A, SiloStatus.Dead))).Decision);

    [Fact]
    public void Read_OfTheSameLifeWithoutTheSilo_Terminates() =>
        Assert.Equal(RestoreDecision.Terminate, Decide(Known with { Version = 11, Entries = Known.Entries.Remove(Silos.A) }).Decision);

    [Fact]
    public void Read_OfNothing_PutsBackEverythingUnderANewLife()
    {
        var (decision, next) = Decide(MembershipView.None);

        Assert.Equal(RestoreDecision.PutBack, decision);
        Assert.Equal((11, "new"), (next!.Version, next.Incarnation));
        Assert.Equal(Known.Entries.Values, next.Entries.Values);
        Assert.Equal([Silos.A, Silos.B], next.Unsettled);
    }

    [Fact]
    public void Read_OfAnOlderVersion_KeepsTheDeadDead()
    {
        var old = Known with { Version = 4, Entries = Known.Entries.SetItem(Silos.C, Silos.Row(Silos.C)).Remove(Silos.B) };

        var (decision, next) = Decide(old);

        Assert.Equal(RestoreDecision.PutBack, decision);
        Assert.Equal((11, "new"), (next!.Version, next.Incarnation));
        Assert.True(next.IsDead(Silos.C));
        Assert.Equal([Silos.A, Silos.B], next.Unsettled);
    }

    [Fact]
    public void Read_OfALifeThatANewcomerBegan_TakesTheNewcomerIn()
    {
        var newcomer = MembershipDecisions.Join(MembershipView.None, Silos.Row(Silos.At(4), SiloStatus.Joining), null, "theirs", Silos.Start).Next!;

        var (decision, next) = Decide(newcomer);

        Assert.Equal(RestoreDecision.PutBack, decision);
        Assert.Equal((11, "new"), (next!.Version, next.Incarnation));
        Assert.Equal(4, next.Entries.Count);
        Assert.Equal([Silos.A, Silos.B, Silos.At(4)], next.Unsettled);
    }

    [Fact]
    public void Read_OfALifeThatOthersBeganWithoutUs_AddsThisSiloAndTheDeathsItKnows()
    {
        var theirs = Silos.Table(Silos.B, Silos.C) with { Version = 12, Incarnation = "theirs", Unsettled = [Silos.C] };

        var (decision, next) = Decide(theirs);

        Assert.Equal(RestoreDecision.PutBack, decision);
        Assert.Equal((13, "theirs"), (next!.Version, next.Incarnation));
        Assert.True(next.IsDead(Silos.C));
        Assert.Equal(SiloStatus.Active, next.Find(Silos.A)!.Status);
        Assert.Equal([Silos.A], next.Unsettled);
    }

    [Fact]
    public void Read_OfALifeThatOthersBeganWithUs_IsAccepted()
    {
        var theirs = MembershipRestore.Decide(Known, MembershipView.None, Silos.B, "theirs").Next!;

        Assert.Equal(RestoreDecision.Accept, Decide(theirs).Decision);
    }

    [Fact]
    public void Read_OfALifeInWhichTheSiloIsDead_Terminates()
    {
        var theirs = Silos.Table(Silos.Row(Silos.A, SiloStatus.Dead), Silos.Row(Silos.B)) with { Version = 3, Incarnation = "theirs" };

        Assert.Equal(RestoreDecision.Terminate, Decide(theirs).Decision);
    }
}
