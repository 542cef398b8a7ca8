using System.Net;
using Cluster.Grains.Placement;
using Xunit;

namespace Cluster.Unit.Placement;

public sealed class PublishRuleTests
{
    private static readonly SiloState State = new()
    {
        Silo = SiloAddress.New(new IPEndPoint(IPAddress.Loopback, 1), 1),
        Capacity = 1000,
        Used = 500,
        Copies = 40,
        OldestIdle = TimeSpan.FromSeconds(320),
        Loading = 1,
        RequestsPerMinute = 2000,
    };

    public static TheoryData<SiloState, bool> Changes { get; } = new()
    {
        { State, false },
        { State with { Capacity = 1019 }, false },
        { State with { Capacity = 1020 }, true },
        { State with { Used = 599 }, false },
        { State with { Used = 600 }, true },
        { State with { Used = 951 }, true },
        { State with { Copies = 45 }, false },
        { State with { Copies = 46 }, true },
        { State with { Loading = 3 }, false },
        { State with { Loading = 4 }, true },
        { State with { Loading = 0 }, true },
        { State with { RequestsPerMinute = 2199 }, false },
        { State with { RequestsPerMinute = 2200 }, true },
        { State with { OldestIdle = TimeSpan.FromSeconds(325) }, false },
        { State with { OldestIdle = TimeSpan.FromSeconds(300) }, true },
        { State with { OldestIdle = null }, true },
        { State with { Labels = ["cpu"] }, true },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void IsDue_Changed_OnlyIfByEnough(SiloState now, bool expected) =>
        Assert.Equal(expected, PublishRule.IsDue(State, now, TimeSpan.FromSeconds(5), new PublishOptions()));

    [Fact]
    public void IsDue_Unchanged_AtTheLongestInterval()
    {
        var aged = State with { OldestIdle = State.OldestIdle + TimeSpan.FromSeconds(10) };

        Assert.False(PublishRule.IsDue(State, aged, TimeSpan.FromSeconds(9.9), new PublishOptions()));
        Assert.True(PublishRule.IsDue(State, aged, TimeSpan.FromSeconds(10), new PublishOptions()));
    }

    [Fact]
    public void IsDue_TooSoon_OnlyForTheFirstAndForDraining()
    {
        var soon = TimeSpan.FromMilliseconds(100);

        Assert.True(PublishRule.IsDue(null, State, soon, new PublishOptions()));
        Assert.True(PublishRule.IsDue(State, State with { Draining = true }, soon, new PublishOptions()));
        Assert.False(PublishRule.IsDue(State, State with { Used = 900 }, soon, new PublishOptions()));
    }
}
