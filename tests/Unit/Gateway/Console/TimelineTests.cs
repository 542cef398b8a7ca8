using Cluster.Gateway.Console;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Console;

public sealed class TimelineTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Add_MoreThanAreKept_KeepsTheLatest()
    {
        var timeline = new Timeline(new ConsoleOptions { Events = 10 }, _time);
        for (var i = 1; i <= 1000; i++)
        {
            timeline.Add(new ClusterEvent(EventKinds.Loaded, $"{i}"));
        }

        Assert.Equal(Enumerable.Range(991, 10).Select(static number => $"{number}"), timeline.After(0).Select(static happened => happened.Text));
        Assert.Equal(["1000"], timeline.After(999).Select(static happened => happened.Text));
        Assert.Equal(_time.GetUtcNow(), timeline.After(999)[0].Time);
    }

    [Fact]
    public async Task Next_AnEventComes_Ends()
    {
        var timeline = new Timeline(new ConsoleOptions(), _time);
        var next = timeline.Next;
        Assert.False(next.IsCompleted);

        timeline.Add(new ClusterEvent(EventKinds.Loaded, "now"));

        await next.Soon();
        Assert.False(timeline.Next.IsCompleted);
    }

    [Fact]
    public void NumberOf_AnIdOfThisOrAnotherGateway_IsItsNumberOr0()
    {
        var timeline = new Timeline(new ConsoleOptions(), _time);
        _time.Advance(TimeSpan.FromSeconds(1));
        var another = new Timeline(new ConsoleOptions(), _time);
        var happened = new ClusterEvent(EventKinds.Loaded, "") { Number = 7 };

        Assert.Equal(7, timeline.NumberOf(timeline.IdOf(happened)));
        Assert.Equal(0, timeline.NumberOf(another.IdOf(happened)));
        Assert.All([null, "", "7", "-", "x-y", "1-2-3"], id => Assert.Equal(0, timeline.NumberOf(id)));
    }
}
