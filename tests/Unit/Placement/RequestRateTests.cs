using Cluster.Grains.Placement;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Placement;

public sealed class RequestRateTests
{
    [Fact]
    public void Read_CountsTheLastMinute()
    {
        var time = new ManualTimeProvider();
        var rate = new RequestRate(time);
        Assert.Equal(0, rate.Read(100));
        for (var second = 1; second <= 60; second++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(second * 2, rate.Read(100 + (second * 2)));
        }

        time.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(60, rate.Read(220), 4.0);
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(0, rate.Read(220));
    }
}
