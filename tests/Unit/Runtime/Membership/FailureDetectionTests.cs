using System.Diagnostics;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>Silos with the default settings on real time: how long they take is what is tested.</summary>
[Collection(TimedCollection.Name)]
public sealed class FailureDetectionTests
{
    private static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Killed_WithAReset_IsDeadToAllInHalfASecond(int count)
    {
        await using var members = await TestMembers.StartAsync(count);
        var victim = members[count - 1].Silo;
        var since = Stopwatch.StartNew();

        members.Network.Kill(victim);
        foreach (var member in members.All.Take(count - 1))
        {
            await member.UntilAsync(victim, SiloStatus.Dead);
        }

        Assert.InRange(since.Elapsed, TimeSpan.Zero, KillLimit + Bounds.Noise);
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    public async Task Suspended_IsRemovedInFiveSecondsAndEndsItselfWhenItGoesOn(int count, int number)
    {
        await using var members = await TestMembers.StartAsync(count);
        var victim = members[number - 1];
        var since = Stopwatch.StartNew();

        members.Network.Suspend(victim.Silo);
        foreach (var member in members.All.Where(member => member != victim))
        {
            await member.UntilAsync(victim.Silo, SiloStatus.Dead);
        }

        Assert.InRange(since.Elapsed, TimeSpan.Zero, HangLimit + Bounds.Noise);
        members.Network.Resume(victim.Silo);
        await victim.Membership.Terminated.Soon();
        Assert.Equal(SiloStatus.Dead, victim.Membership.CurrentSnapshot.GetSiloStatus(victim.Silo));
        Assert.All(members.All.Where(member => member != victim), static member => Assert.False(member.Membership.Terminated.IsCompleted));
        await victim.HostStops.Soon();
    }

    [Fact]
    public async Task Killed_WithoutAReset_IsFoundByProbes()
    {
        await using var members = await TestMembers.StartAsync(3);

        members.Network.Kill(members[0].Silo, withReset: false);

        await members[1].UntilAsync(members[0].Silo, SiloStatus.Dead);
        await members[2].UntilAsync(members[0].Silo, SiloStatus.Dead);
    }

    [Fact]
    public async Task Killed_TwoOfThreeAtOnce_AreClearedUpByTheLast()
    {
        await using var members = await TestMembers.StartAsync(3);

        // No more signs of life from them either.
        members[0].Table.Away = members[1].Table.Away = true;
        members.Network.Kill(members[0].Silo);
        members.Network.Kill(members[1].Silo);

        await members[2].UntilAsync(members[0].Silo, SiloStatus.Dead);
        await members[2].UntilAsync(members[1].Silo, SiloStatus.Dead);
        Assert.Equal(SiloStatus.Active, members[2].Membership.CurrentSnapshot.GetSiloStatus(members[2].Silo));
    }

    [Fact]
    public async Task Partition_TwoOfFiveCutOff_OnlyTheTwoAreRemoved()
    {
        await using var members = await TestMembers.StartAsync(5);

        // The two with the smallest addresses, so no tie break helps the others.
        members.Network.Isolate(members[0].Silo, members[1].Silo);
        foreach (var member in members.All.Skip(2))
        {
            await member.UntilAsync(members[0].Silo, SiloStatus.Dead);
            await member.UntilAsync(members[1].Silo, SiloStatus.Dead);
        }

        await members[0].Membership.Terminated.Soon();
        await members[1].Membership.Terminated.Soon();
        Assert.All(members.All.Skip(2), static member => Assert.False(member.Membership.Terminated.IsCompleted));
        Assert.All(members.All.Take(2), static member => Assert.DoesNotContain(member.Log.Entries, static entry => entry.Id == 1221));
    }

    [Fact]
    public async Task Partition_OfTwoSilos_IsWonByTheSmallerAddress()
    {
        await using var members = await TestMembers.StartAsync(2);

        members.Network.Isolate(members[1].Silo);

        await members[1].Membership.Terminated.Soon();
        Assert.False(members[0].Membership.Terminated.IsCompleted);
    }

    [Fact]
    public async Task TableAway_NobodyIsVotedOutUntilItIsBack()
    {
        await using var members = await TestMembers.StartAsync(3);
        var withheld = members[0].Membership.View.Version;
        foreach (var member in members.All)
        {
            member.Table.Away = true;
        }

        members.Network.Kill(members[2].Silo);
        await Task.WhenAll(members.All.Take(2).Select(static member => member.Membership.ReadAsync(default).AsTask())).Soon();
        Assert.Equal(withheld, members[0].Membership.View.Version);
        Assert.Equal(SiloStatus.Active, members[0].Membership.CurrentSnapshot.GetSiloStatus(members[2].Silo));

        members[0].Table.Away = members[1].Table.Away = false;
        await members[0].UntilAsync(members[2].Silo, SiloStatus.Dead);
        await members[1].UntilAsync(members[2].Silo, SiloStatus.Dead);
        Assert.False(members[0].Membership.Terminated.IsCompleted || members[1].Membership.Terminated.IsCompleted);
    }

    [Fact]
    public async Task TableLost_SilosPutBackTheirRowsAndTheVersionGoesOn()
    {
        await using var members = await TestMembers.StartAsync(3);
        var before = members[0].Membership.View;

        members.Table.Lose();
        foreach (var member in members.All)
        {
            await member.UntilAsync(view => view.Incarnation != before.Incarnation, "a new life");
            await member.UntilAsync(view => view.Version > before.Version && view.Entries.Count == 3, "all rows are back");
        }

        Assert.All(members[0].Membership.View.Entries.Values, static entry => Assert.Equal(SiloStatus.Active, entry.Status));
        Assert.All(members.All, static member => Assert.False(member.Membership.Terminated.IsCompleted));
    }

    [Fact]
    public void Silo_WithALateTimer_DoesNotTrustItsProbes()
    {
        var time = new ManualTimeProvider();
        var health = new SelfHealth(time, TimeSpan.FromMilliseconds(500), TimeSpan.FromMilliseconds(750));
        Assert.Null(health.Tick());
        time.Advance(TimeSpan.FromMilliseconds(1200));
        Assert.Null(health.Tick());
        Assert.False(health.IsInDoubt);

        time.Advance(TimeSpan.FromMilliseconds(1300));
        Assert.Equal(TimeSpan.FromMilliseconds(800), health.Tick());
        Assert.True(health.IsInDoubt);
        time.Advance(health.Doubt);
        Assert.False(health.IsInDoubt);
    }
}
