using Cluster.Grains.Memory;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Memory;

public sealed unsafe class BlockPoolTests : IDisposable
{
    private const int MiB = 1 << 20;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    private readonly ManualTimeProvider _time = new();
    private readonly BlockPool _pool;

    public BlockPoolTests() => _pool = new BlockPool(_time);

    public void Dispose() => _pool.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(200_000)]
    [InlineData(262_080)]
    [InlineData(262_081)]
    [InlineData(3_000_000)]
    public void Allocate_AnySize_IsAlignedUsableAndNearlyNoLarger(int bytes)
    {
        var block = _pool.Allocate((nuint)bytes, owner: 7);
        new Span<byte>(block, bytes).Fill(0xA5);

        Assert.Equal(0, (nint)block % BlockPool.Alignment);
        Assert.Equal(7, BlockPool.OwnerOf(block));
        Assert.InRange(BlockPool.SizeOf(block), bytes + BlockPool.Alignment, (bytes * 9 / 8) + (2 * BlockPool.Alignment));
        Assert.Equal(BlockPool.SizeOf(block), _pool.InUse);
        _pool.Free(block);
        Assert.Equal(0, _pool.InUse);
    }

    [Fact]
    public void Free_LargeBlock_IsUsedAgainAndGivenBackWhenItIsOfNoUse()
    {
        var first = _pool.Allocate(MiB, 0);
        _pool.Free(first);
        Assert.True(_pool.KeptBytes >= MiB);

        var second = _pool.Allocate(MiB, 0);
        Assert.True(first == second);
        Assert.Equal(0, _pool.KeptBytes);
        _pool.Free(second);

        // The period in which it was freed, and one in which nothing wanted it.
        _time.Advance(Period);
        Assert.True(_pool.KeptBytes >= MiB);
        _time.Advance(Period);
        Assert.Equal(0, _pool.KeptBytes);
    }

    [Fact]
    public void Trim_BlocksInUseEachPeriod_StayAndTheOutlierGoes()
    {
        var (usual, outlier) = ((nuint)MiB, (nuint)(100 * MiB));
        _pool.Free(_pool.Allocate(outlier, 0));
        for (var period = 0; period < 3; period++)
        {
            _pool.Free(_pool.Allocate(usual, 0));
            _time.Advance(Period);
        }

        Assert.InRange(_pool.KeptBytes, MiB, 2 * MiB);
    }

    [Fact]
    public void Allocate_OverTheLimit_IsRefusedAfterKeptBlocksWereGivenBack()
    {
        _pool.Limit = 10 * MiB;
        _pool.Free(_pool.Allocate(8 * MiB, 0));

        var large = _pool.Allocate(9 * MiB, 0);
        Assert.True(large != null);
        Assert.Equal(0, _pool.KeptBytes);
        Assert.True(_pool.Allocate(MiB, 0) == null);
        Assert.True(_pool.Allocate(nuint.MaxValue, 0) == null);
        var forced = _pool.Allocate(2 * MiB, 0, isForced: true);
        Assert.True(forced != null);
        _pool.Free(forced);
        _pool.Free(large);
        Assert.Equal(0, _pool.InUse);
    }

    [Fact]
    public void Allocate_OtherMemoryUnderTheSameLimit_LeavesLess()
    {
        using var pool = new BlockPool(_time) { Limit = 10 * MiB, Beside = static () => 6 * MiB };

        Assert.True(pool.Allocate(5 * MiB, 0) == null);
        var block = pool.Allocate(3 * MiB, 0);
        Assert.True(block != null);
        pool.Free(block);
    }

    [Fact]
    public void Allocate_LargeBlockThatTheProcessHasNotLeft_IsRefusedAndSmallOnesAreNot()
    {
        _pool.HasLeft = static bytes => bytes < 5 * MiB;

        Assert.True(_pool.Allocate(6 * MiB, 0) == null);
        var (small, fits) = ((nint)_pool.Allocate(MiB, 0), (nint)_pool.Allocate(4 * MiB, 0));
        Assert.True(small != 0 && fits != 0);
        _pool.Free((void*)small);
        _pool.Free((void*)fits);
        Assert.Equal(0, _pool.InUse);
    }

    [Theory]
    [InlineData(long.MaxValue, 1L << 50, true)]
    [InlineData(1L << 40, 1L << 30, true)]
    [InlineData(1L << 40, 1L << 40, false)]
    public void HasLeft_OfTheProcess_CountsWhatIsResident(long available, long bytes, bool expected) =>
        Assert.Equal(expected, new ProcessMemory(available).HasLeft(bytes));

    [Fact]
    public void Allocate_ManyThreads_KeepsItsBooks()
    {
        Parallel.For(0, 8, thread =>
        {
            for (var i = 0; i < 500; i++)
            {
                var bytes = 1000 + (thread * 100_000) + (i * 700);
                var block = _pool.Allocate((nuint)bytes, thread);
                new Span<byte>(block, bytes)[^1] = 1;
                _pool.Free(block);
            }
        });

        Assert.Equal(0, _pool.InUse);
        _time.Advance(Period);
        _time.Advance(Period);
        Assert.Equal(0, _pool.KeptBytes);
    }
}
