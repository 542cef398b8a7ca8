using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

public sealed class MembershipAgentTests
{
    private static readonly Action<ClusterMembershipOptions> Quick = static options =>
    {
        options.IAmAliveTablePublishTimeout = TimeSpan.FromMilliseconds(50);
        options.AliveExpiration = TimeSpan.FromMilliseconds(400);
        options.MaxJoinAttemptTime = TimeSpan.FromMilliseconds(300);
    };

    [Fact]
    public async Task Life_OfASilo_IsSeenByOthers()
    {
        await using var members = await TestMembers.StartAsync(2);
        await members[0].UntilAsync(members[1].Silo, SiloStatus.Active);

        await members[1].StopAsync();

        await members[0].UntilAsync(members[1].Silo, SiloStatus.Dead);
        Assert.False(members[1].Membership.Terminated.IsCompleted);
        Assert.False(members[1].HostStops.IsCompleted);
    }

    [Fact]
    public async Task Start_AfterACrashOnTheSameEndpoint_BuriesTheRunBefore()
    {
        await using var members = await TestMembers.StartAsync(1, Quick);
        members[0].Table.Away = true;
        members.Network.Kill(members[0].Silo);

        var again = await members.AddAsync(Silos.At(1, 2), Quick);

        Assert.True(again.Membership.View.IsDead(members[0].Silo));
        Assert.Equal(SiloStatus.Active, again.Membership.CurrentSnapshot.GetSiloStatus(again.Silo));
    }

    [Fact]
    public async Task Start_WhileTheOtherRunAnswers_IsRefused()
    {
        await using var members = await TestMembers.StartAsync(1, Quick);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => members.AddAsync(Silos.At(1, 2), Quick));

        Assert.Contains("alive on the same end point", error.Message, StringComparison.Ordinal);
        Assert.Equal(SiloStatus.Active, members[0].Membership.CurrentSnapshot.GetSiloStatus(members[0].Silo));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_WhileTheOtherRunDoesNotAnswer_GoesByItsSignsOfLife(bool beats)
    {
        await using var members = await TestMembers.StartAsync(1, Quick);
        members.Network.Isolate(members[0].Silo);
        members[0].Table.Away = !beats;

        var joining = members.AddAsync(Silos.At(1, 2), Quick);

        if (beats)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => joining.Soon());
        }
        else
        {
            Assert.True((await joining.Soon()).Membership.View.IsDead(members[0].Silo));
        }
    }

    [Fact]
    public async Task Start_WithoutATable_FailsInTime()
    {
        var network = new FakeNetwork(TimeProvider.System);
        var table = new FaultyTable(new InMemoryMembershipTable(TimeProvider.System), static () => false) { Away = true };

        var error = await Assert.ThrowsAsync<TimeoutException>(() => TestMember.StartAsync(Silos.A, table, network, Quick));

        Assert.Contains("Redis", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Observer_SeesTheClusterAndHasNoRow()
    {
        await using var members = await TestMembers.StartAsync(1);
        var observer = await members.AddAsync(Silos.At(9), static options => options.ObserveOnly = true);
        var added = await members.AddAsync(Silos.At(2));

        await observer.UntilAsync(added.Silo, SiloStatus.Active);

        Assert.Equal(2, observer.Membership.View.Entries.Count);
    }

    [Fact]
    public async Task TryKill_IsFinal()
    {
        await using var members = await TestMembers.StartAsync(2);

        Assert.True(await members[0].Membership.TryKill(members[1].Silo));

        var reason = await members[1].Membership.Terminated.Soon();
        Assert.Contains("membership version", reason, StringComparison.Ordinal);
        Assert.True(await members[0].Membership.TryKill(members[1].Silo));
        Assert.False(await members[0].Membership.TryKill(Silos.At(7)));
    }

    [Fact]
    public async Task Refresh_ToAVersionThatIsKnown_ReturnsAtOnce()
    {
        await using var members = await TestMembers.StartAsync(2);
        var version = members[0].Membership.CurrentSnapshot.Version;
        members[0].Table.Away = true;

        await members[0].Membership.Refresh(version).AsTask().Soon();
    }
}
