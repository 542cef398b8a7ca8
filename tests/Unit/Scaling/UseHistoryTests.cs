using Cluster.Grains.Scaling;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Cluster.Unit.Scaling;

public sealed class UseHistoryTests
{
    private static readonly ScalingOptions Options = new();
    private static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 0, 6)]
    [InlineData(true, 0, 7)]
    [InlineData(true, 0, 40)]
    [InlineData(false, 0, 41)]
    [InlineData(true, 0, 5, 10)]
    [InlineData(true, 0, 39, 46)]
    [InlineData(false, 0, 39, 41)]
    [InlineData(true, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)]
    public void IsLasting_UsesAtMinutes_IfOneIsOldEnoughAndNotTooOld(bool expected, params int[] minutes)
    {
        var history = default(UseHistory);
        foreach (var minute in minutes[..^1])
        {
            history = history.Used(At(minute), Options);
        }

        Assert.Equal(expected, history.IsLasting(At(minutes[^1]), Options));
    }

    [Fact]
    public void IsLasting_Always_ThenThereWasSuchAUse() => Prop.ForAll(Gen.ListOf(Gen.Choose(1, 50)).ToArbitrary(), gaps =>
    {
        var history = default(UseHistory);
        var uses = new List<DateTimeOffset>();
        var now = Start;
        foreach (var gap in gaps)
        {
            history = history.Used(now, Options);
            uses.Add(now);
            now += TimeSpan.FromMinutes(gap);
        }

        return !history.IsLasting(now, Options)
            || uses.Any(use => now - use >= Options.SecondCopyMinAge && now - use <= Options.SecondCopyMaxAge);
    }).QuickCheckThrowOnFailure();

    private static DateTimeOffset At(int minute) => Start + TimeSpan.FromMinutes(minute);
}
