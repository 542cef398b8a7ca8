using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ProcessorSharesTests
{
    private const long Second = 1_000_000_000;

    private readonly ManualTimeProvider _time = new();
    private readonly ProcessorShares _shares;

    public ProcessorSharesTests() => _shares = new ProcessorShares(_time, processors: 2);

    [Fact]
    public void IsOverdrawn_Alone_Never()
    {
        var only = _shares.Create();
        only.Ran(2 * Second);

        Assert.False(only.IsOverdrawn);
    }

    [Fact]
    public void IsOverdrawn_BesideAnother_AsSoonAsMoreThanTheFairShareIsUsed()
    {
        var (hot, quiet) = (_shares.Create(), _shares.Create());
        quiet.Ran(1);
        hot.Ran(Second);
        Assert.False(hot.IsOverdrawn);

        hot.Ran(1);

        Assert.True(hot.IsOverdrawn);
        Assert.False(quiet.IsOverdrawn);
    }

    [Fact]
    public void IsOverdrawn_ManyActive_FairIsLess()
    {
        var hot = _shares.Create();
        for (var i = 0; i < 9; i++)
        {
            _shares.Create().Ran(1);
        }

        hot.Ran(Second / 5);
        Assert.False(hot.IsOverdrawn);
        hot.Ran(1);

        Assert.True(hot.IsOverdrawn);
    }

    [Fact]
    public void IsOverdrawn_InTheNextSecond_ByTheOneBefore_AndNotInThatAfter()
    {
        var (hot, quiet) = (_shares.Create(), _shares.Create());
        hot.Ran(2 * Second);
        quiet.Ran(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(hot.IsOverdrawn);
        hot.Ran(1);
        Assert.True(hot.IsOverdrawn);

        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.False(hot.IsOverdrawn);
        hot.Ran(1);
        Assert.False(hot.IsOverdrawn);
    }

    [Theory]
    [InlineData(9, true)]
    [InlineData(10, false)]
    public void IsOverdrawn_TheOtherLastRanSoManySecondsAgo_CountsForTen(int seconds, bool isOverdrawn)
    {
        var (hot, quiet) = (_shares.Create(), _shares.Create());
        quiet.Ran(1);
        for (var second = 0; second < seconds; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            hot.Ran(2 * Second);
        }

        Assert.Equal(isOverdrawn, hot.IsOverdrawn);
    }

    [Fact]
    public void Fair_AfterALongPause_CountsThoseThatRanSince()
    {
        var shares = Enumerable.Range(0, 4).Select(_ => _shares.Create()).ToList();
        shares.ForEach(static share => share.Ran(1));
        Assert.Equal(2 * Second / 4.0, _shares.Fair);

        _time.Advance(TimeSpan.FromHours(1));
        shares[0].Ran(1);
        Assert.Null(_shares.Fair);
        shares[1].Ran(1);

        Assert.Equal(2 * Second / 2.0, _shares.Fair);
    }
}
