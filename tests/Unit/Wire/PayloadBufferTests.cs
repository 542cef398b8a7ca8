using System.Buffers;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class PayloadBufferTests
{
    private const int MiB = 1 << 20;

    [Fact]
    public unsafe void Rent_AnyPadding_PutsThatByteOnAMultipleOf8()
    {
        for (var padding = 0; padding < PayloadBuffer.TensorAlignment; padding++)
        {
            using var buffer = PayloadBuffer.Rent(100, padding);
            fixed (byte* start = buffer.Span)
            {
                Assert.Equal(padding, (int)((nint)start % PayloadBuffer.TensorAlignment));
            }

            Assert.Equal(100, buffer.Span.Length);
            Assert.Equal(100, buffer.Memory.Length);
        }
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(1, -1)]
    [InlineData(1, 8)]
    public void Rent_OutOfRange_Throws(int length, int padding) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => PayloadBuffer.Rent(length, padding));

    [Fact]
    public void Truncate_Shorter_KeepsTheBeginning()
    {
        using var buffer = PayloadBuffer.CopyOf([1, 2, 3]);

        buffer.Truncate(2);

        Assert.Equal([1, 2], buffer.Span.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(3));
        Assert.Throws<ArgumentOutOfRangeException>(() => buffer.Truncate(-1));
    }

    [Fact]
    public void Adopt_RentedArray_IsItsBeginning()
    {
        var array = ArrayPool<byte>.Shared.Rent(64);
        array[0] = 7;
        using var buffer = PayloadBuffer.Adopt(array, 1);

        Assert.Equal([7], buffer.Span.ToArray());
    }

    [Fact]
    public void Dispose_Twice_GivesTheMemoryBackOnceAndForbidsItsUse()
    {
        var buffer = PayloadBuffer.Rent(1 << 20);
        buffer.Dispose();
        buffer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);

        // Given back twice, one array would serve two owners.
        using var first = PayloadBuffer.Rent(1 << 20);
        using var second = PayloadBuffer.Rent(1 << 20);
        first.Span[0] = 1;
        second.Span[0] = 2;
        Assert.Equal(1, first.Span[0]);
    }

    [Fact]
    public void Dispose_WithAnotherHolder_KeepsTheMemory()
    {
        using var buffer = PayloadBuffer.CopyOf([1, 2]);
        buffer.Retain();

        buffer.Dispose();

        Assert.Equal([1, 2], buffer.Span.ToArray());
    }

    /// <summary>What a caller lent.</summary>
    [Fact]
    public void TryTake_OfWhatIsLent_IsOneMoreHolder()
    {
        var buffer = PayloadBuffer.CopyOf([1]);

        Assert.True(buffer.TryTake());
        buffer.Dispose();
        Assert.Equal(1, buffer.Span[0]);

        buffer.Dispose();
        Assert.False(buffer.TryTake());
        Assert.Throws<ObjectDisposedException>(buffer.Retain);
    }

    /// <summary>What came with a message.</summary>
    [Fact]
    public void TryTake_OfWhatIsHandedOver_TakesThatCountOnce()
    {
        var buffer = PayloadBuffer.CopyOf([1]).HandOver();

        Assert.True(buffer.TryTake());
        Assert.True(buffer.TryTake());
        buffer.Dispose();
        Assert.Equal(1, buffer.Span[0]);
        buffer.Dispose();
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
    }

    /// <summary>What was handed over and given up by the one that gets it, as an answer is in one process.</summary>
    [Fact]
    public void TryTake_OfWhatWasHandedOverAndGivenBack_IsRefused()
    {
        var buffer = PayloadBuffer.CopyOf([1]).HandOver();

        buffer.Dispose();

        Assert.False(buffer.TryTake());
        Assert.False(buffer.TryRetain());
    }

    /// <summary>Orleans drops what has arrived for a caller that has gone; a silo counts that toward its room for messages.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Large_LeftToTheCollector_CountsNoMore(bool isKeptSize)
    {
        var pool = new PayloadPool(64 * MiB);

        Lose(pool, isKeptSize ? 2 * MiB : 33 * MiB);

        Assert.True(IsFoundBy(() => pool.LargeBytes == 0), $"{pool.LargeBytes} bytes are counted of what was lost");
    }

    [Fact]
    public void Large_GivenBack_IsTakenOffTheCountOnce()
    {
        var pool = new PayloadPool(64 * MiB);
        Rent(pool, 2 * MiB).Dispose();
        var other = Rent(pool, MiB);

        Collect();

        Assert.Equal((2 * MiB) + other.Length, pool.LargeBytes);
        other.Dispose();
        Assert.Equal(pool.KeptBytes, pool.LargeBytes);
    }

    /// <summary>A request makes some of them: they have no finalizer, and are as large as without one.</summary>
    [Fact]
    public void Rent_UpTo256KiB_AllocatesTheBufferAlone()
    {
        PayloadBuffer.Rent(100).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();

        PayloadBuffer.Rent(100).Dispose();

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 40);
        Assert.Null(PayloadPool.Shared.Claim(new byte[256 << 10]));
        using var claim = PayloadPool.Shared.Claim(new byte[(256 << 10) + 1]);
        Assert.NotNull(claim);
    }

    [Fact]
    public void HandOver_WithAnotherHolder_IsRefused()
    {
        using var buffer = PayloadBuffer.CopyOf([1]);
        buffer.Retain();

        Assert.Throws<InvalidOperationException>(buffer.HandOver);
        buffer.Dispose();
    }

    /// <summary>Every holder sees the bytes, and the last one gives them back, once.</summary>
    [Fact]
    public void Counts_FromManyThreads_EndAtNone()
    {
        for (var round = 0; round < 200; round++)
        {
            var buffer = PayloadBuffer.CopyOf([7]);
            Parallel.For(0, 8, _ =>
            {
                if (buffer.TryTake())
                {
                    Assert.Equal(7, buffer.Span[0]);
                    buffer.Dispose();
                }
            });
            buffer.Dispose();
            Assert.False(buffer.TryTake());
        }
    }

    private static PayloadBuffer Rent(PayloadPool pool, int length) => PayloadBuffer.Adopt(pool, pool.Rent(length), length, padding: 0);

    /// <summary>A method of its own, so that nothing of its caller refers to the buffer.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Lose(PayloadPool pool, int length)
    {
        Rent(pool, length).HandOver();
        Assert.InRange(pool.LargeBytes, length, 2 * length);
    }

    private static bool IsFoundBy(Func<bool> isFound)
    {
        for (var tries = 0; tries < 5 && !isFound(); tries++)
        {
            Collect();
        }

        return isFound();
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}
