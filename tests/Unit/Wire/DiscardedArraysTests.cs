using Cluster.Contracts.Buffers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class DiscardedArraysTests
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly ManualTimeProvider _time = new();
    private readonly DiscardedArrays _arrays;
    private int _collections;

    public DiscardedArraysTests() => _arrays = new DiscardedArrays(1000, _time, () =>
    {
        _collections++;
        _time.Advance(Pause);
    });

    [Fact]
    public void Add_UpToTheBound_CollectsThere()
    {
        _arrays.Add(999);
        Assert.Equal((0, 999), (_collections, _arrays.Bytes));

        _arrays.Add(1);

        Assert.Equal((1, 0), (_collections, _arrays.Bytes));
    }

    /// <summary>Each large request of a flood would stop all threads otherwise.</summary>
    [Fact]
    public void Add_AgainAtOnce_CollectsAfterNineTimesThePause()
    {
        _arrays.Add(1000);
        for (var request = 0; request < 100; request++)
        {
            _arrays.Add(1000);
        }

        Assert.Equal((1, 100_000), (_collections, _arrays.Bytes));
        _time.Advance((9 * Pause) - TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, _collections);

        // By itself: there may be no request any more.
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((2, 0), (_collections, _arrays.Bytes));

        _time.Advance(9 * Pause);
        Assert.Equal(2, _collections);
        _arrays.Add(1000);
        Assert.Equal(3, _collections);
    }
}
