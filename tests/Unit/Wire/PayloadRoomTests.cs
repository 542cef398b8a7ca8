using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Xunit;

namespace Cluster.Unit.Wire;

public sealed class PayloadRoomTests
{
    private const int MiB = 1 << 20;

    private readonly PayloadPool _pool = new(64 * MiB);
    private readonly PayloadRoom _room;

    public PayloadRoomTests() => _room = new PayloadRoom(_pool, 4 * MiB);

    [Fact]
    public void Rent_BeyondTheLimit_IsRefusedUntilThereIsRoomAndTakesNothing()
    {
        var first = _room.Rent(3 * MiB);

        var refused = Assert.Throws<ServingException>(() => _room.Rent(300 << 10));

        Assert.Equal((StatusCode.ResourceExhausted, TimeSpan.FromSeconds(1)), (refused.Failure.Code, refused.Failure.RetryAfter));
        Assert.Contains("the 4 MiB", refused.Failure.Message, StringComparison.Ordinal);
        Assert.Equal(4 * MiB, _pool.RentedBytes);
        _room.Return(first);
        _room.Return(_room.Rent(300 << 10));
        Assert.Equal(0, _pool.RentedBytes);
    }

    [Fact]
    public void Rent_Small_IsNotCounted()
    {
        var held = _room.Rent(4 * MiB);

        _room.Return(_room.Rent(256 << 10));
        _room.Rent(1000, padding: 5).Dispose();

        Assert.Equal(4 * MiB, _pool.RentedBytes);
        _room.Return(held);
    }

    /// <summary>Another try cannot help, so there is no hint at one.</summary>
    [Fact]
    public void Rent_MoreThanAllRoom_IsRefusedForGood()
    {
        var refused = Assert.Throws<ServingException>(() => _room.Rent((4 * MiB) + 1));

        Assert.Equal((StatusCode.ResourceExhausted, null), (refused.Failure.Code, refused.Failure.RetryAfter));
    }

    [Fact]
    public void Grow_NoRoomBesideTheSmallerArray_LeavesThatToItsHolder()
    {
        var array = _room.Rent(2 * MiB);

        var refused = Assert.Throws<ServingException>(() => _room.Grow(array, 10, 4 * MiB));

        Assert.Null(refused.Failure.RetryAfter);
        Assert.Equal(2 * MiB, _pool.RentedBytes);
        _room.Return(array);
        Assert.Equal(0, _pool.RentedBytes);
    }

    [Theory]
    [InlineData(4, null)]
    [InlineData(2, 1)]
    public void Grow_OfAMessage_HintsAtAnotherTryOnlyWhereBothFit(int mebibytes, int? seconds)
    {
        using var message = _room.Rent(MiB, 0);
        var others = mebibytes == 2 ? _room.Rent(2 * MiB) : null;

        var refused = Assert.Throws<ServingException>(() => _room.Grow(message, 10, mebibytes * MiB));

        Assert.Equal(seconds, refused.Failure.RetryAfter?.Seconds);
        if (others is not null)
        {
            _room.Return(others);
        }

        using var grown = _room.Grow(message, 10, 2 * MiB);
        Assert.Equal(2 * MiB, _pool.RentedBytes);
    }

    [Fact]
    public void Grow_WithRoom_KeepsWhatWasFilledAndGivesTheSmallerArrayBack()
    {
        var array = _room.Rent(MiB);
        array[9] = 7;

        array = _room.Grow(array, 10, 2 * MiB);

        Assert.Equal(7, array[9]);
        Assert.Equal((2 * MiB, 2 * MiB), (array.Length, _pool.RentedBytes));
        _room.Adopt(array, 10).Dispose();
        Assert.Equal((0, 3 * MiB), (_pool.RentedBytes, _pool.KeptBytes));
    }

    [Fact]
    public void Rent_FromManyThreads_NeverGoesBeyondTheLimit()
    {
        var most = 0L;
        Parallel.For(0, 8, _ =>
        {
            for (var round = 0; round < 500; round++)
            {
                try
                {
                    var array = _room.Rent(MiB);
                    var held = Interlocked.Add(ref most, MiB);
                    Assert.InRange(held, MiB, 4 * MiB);
                    Interlocked.Add(ref most, -MiB);
                    _room.Return(array);
                }
                catch (ServingException exception)
                {
                    Assert.NotNull(exception.Failure.RetryAfter);
                }
            }
        });
        Assert.Equal(0, _pool.RentedBytes);
    }
}
