using Cluster.Contracts.Buffers;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class PayloadPoolTests
{
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256 << 10)]
    [InlineData((256 << 10) + 1)]
    [InlineData(MiB)]
    [InlineData(MiB + 1)]
    [InlineData(32 * MiB)]
    [InlineData((32 * MiB) + 1)]
    public void Rent_AnyLength_HasRoom(int length)
    {
        var pool = new PayloadPool(64 * MiB);
        var array = pool.Rent(length);
        Assert.True(array.Length >= length);
        pool.Return(array);
        Assert.InRange(pool.KeptBytes, 0, 64 * MiB);
    }

    [Fact]
    public void Rent_AfterALargeArrayCameBack_IsThatArray()
    {
        var pool = new PayloadPool(8 * MiB);
        var array = pool.Rent((2 * MiB) - 5);
        pool.Return(array);
        Assert.Equal(2 * MiB, pool.KeptBytes);

        Assert.Same(array, pool.Rent(2 * MiB));
        Assert.Equal(0, pool.KeptBytes);
        Assert.NotSame(array, pool.Rent(2 * MiB));
    }

    [Fact]
    public void Return_BeyondTheBudget_KeepsNoMore()
    {
        var pool = new PayloadPool(8 * MiB);
        var arrays = Enumerable.Range(0, 20).Select(_ => pool.Rent(MiB)).ToList();
        arrays.ForEach(pool.Return);
        Assert.Equal(8 * MiB, pool.KeptBytes);
    }

    [Fact]
    public void Return_OfAnArrayTooLargeToKeep_LeavesNothing()
    {
        var pool = new PayloadPool(1L << 30);
        pool.Return(pool.Rent((32 * MiB) + 1));
        Assert.Equal(0, pool.KeptBytes);
    }

    [Fact]
    public void RentAndReturn_FromManyThreads_HandsEachArrayToOneAtATime()
    {
        var pool = new PayloadPool(4 * MiB);
        Parallel.For(0, 8, worker =>
        {
            for (var round = 0; round < 500; round++)
            {
                var array = pool.Rent((512 << 10) << (round % 3));
                array[0] = (byte)worker;
                array[^1] = (byte)round;
                Thread.Yield();
                Assert.Equal(((byte)worker, (byte)round), (array[0], array[^1]));
                pool.Return(array);
            }
        });
        Assert.InRange(pool.KeptBytes, 0, 4 * MiB);
    }

    /// <summary>A silo that refuses each large message makes no large array anew, and the collector would have no reason to look.</summary>
    [Fact]
    public void LookForLost_AskedOften_CollectsAtMostEach10Seconds()
    {
        var time = new ManualTimeProvider();
        var pool = new PayloadPool(8 * MiB, time);

        Assert.True(pool.LookForLost());
        time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.False(pool.LookForLost());
        time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.True(pool.LookForLost());
    }
}
