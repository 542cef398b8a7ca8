using System.Globalization;
using Cluster.Gateway.Traffic;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

public sealed class TrafficChanceTests
{
    [Theory]
    [InlineData(0.1)]
    [InlineData(10)]
    [InlineData(50)]
    [InlineData(99.9)]
    public void Places_OfManyKeysAndOfChance_AreSpreadEvenly(double percent)
    {
        const int Count = 100_000;
        var chance = new TrafficChance(new Random(5));
        var keys = Enumerable.Range(0, Count).Select(static i => i.ToString(CultureInfo.InvariantCulture));

        var ofKeys = keys.Count(key => TrafficChance.Of("alias", key) < percent) * 100.0 / Count;
        var ofChance = Enumerable.Range(0, Count).Count(_ => chance.Next() < percent) * 100.0 / Count;

        // Four times the deviation of so many draws.
        var slack = 4 * Math.Sqrt(percent * (100 - percent) / Count);
        Assert.InRange(ofKeys, percent - slack, percent + slack);
        Assert.InRange(ofChance, percent - slack, percent + slack);
    }

    [Fact]
    public void Places_OfKeys_AreTheSameInEachVersionOfTheProgram()
    {
        Assert.Equal(50.8926, TrafficChance.Of("digits", "user-1"), 4);
        Assert.InRange(TrafficChance.Of("", ""), 0, 99.999999);
    }

    [Fact]
    public void Places_OfOneKey_AreOthersForOtherAliases()
    {
        var keys = Enumerable.Range(0, 10_000).Select(static i => $"user-{i}").ToList();

        var both = keys.Count(static key => TrafficChance.Of("a", key) < 10 && TrafficChance.Of("b", key) < 10);

        Assert.InRange(both, 60, 140);
    }
}
