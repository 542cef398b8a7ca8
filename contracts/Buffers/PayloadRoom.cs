using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// What the large messages of a process may take of its memory together. A reader asks it before it takes memory for a message. A message counts with
/// the memory that it has been given, however slowly it comes. Messages up to 256 KiB are not counted. Safe from any thread.
/// </summary>
/// <param name="pool">Whose arrays count, those of answers too.</param>
/// <param name="limit">Bytes.</param>
public sealed class PayloadRoom(PayloadPool pool, long limit)
{
    /// <summary>When to ask again: some messages have been answered by then.</summary>
    private static readonly TimeSpan NextTry = TimeSpan.FromSeconds(1);

    /// <summary>The process' pool without a limit.</summary>
    public static PayloadRoom Unlimited { get; } = new(PayloadPool.Shared, long.MaxValue);

    /// <summary>Bytes that large messages may take together.</summary>
    public long Limit => limit;

    /// <inheritdoc cref="PayloadPool.Rent"/>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: there is no room, now or ever.</exception>
    public byte[] Rent(int length) => pool.TryRent(length, limit, out var array) ? array : throw Full(length, PayloadPool.SizeOf(length));

    /// <inheritdoc cref="PayloadBuffer.Rent"/>
    /// <exception cref="ServingException">As for <see cref="Rent(int)"/>.</exception>
    public PayloadBuffer Rent(int length, int padding) => Adopt(Rent(length + padding), length, padding);

    /// <summary>A larger array in place of <paramref name="array"/>, which goes back to the pool.</summary>
    /// <param name="filled">Bytes that are copied.</param>
    /// <exception cref="ServingException">As for <see cref="Rent(int)"/>; what was to be replaced stays the caller's.</exception>
    public byte[] Grow(byte[] array, int filled, int length)
    {
        if (!pool.TryRent(length, limit, out var larger))
        {
            throw Full(length, (long)PayloadPool.SizeOf(length) + PayloadPool.CountedOf(array.Length));
        }

        array.AsSpan(0, filled).CopyTo(larger);
        pool.Return(array);
        return larger;
    }

    /// <summary>A larger message in place of <paramref name="message"/>, which is given back, with as much padding.</summary>
    /// <inheritdoc cref="Grow(byte[], int, int)"/>
    public PayloadBuffer Grow(PayloadBuffer message, int filled, int length)
    {
        if (!pool.TryRent(length + message.Padding, limit, out var rented))
        {
            throw Full(length, (long)PayloadPool.SizeOf(length + message.Padding) + PayloadPool.CountedOf(PayloadPool.SizeOf(message.Length + message.Padding)));
        }

        var larger = Adopt(rented, length, message.Padding);
        message.Span[..filled].CopyTo(larger.Span);
        message.Dispose();
        return larger;
    }

    /// <summary>Takes over an array that was rented here; the message begins behind <paramref name="padding"/> bytes of it.</summary>
    public PayloadBuffer Adopt(byte[] rented, int length, int padding = 0) => PayloadBuffer.Adopt(pool, rented, length, padding);

    /// <summary>Takes back an array that was rented here.</summary>
    public void Return(byte[] rented) => pool.Return(rented);

    /// <summary>Counts memory that others take for a message.</summary>
    /// <exception cref="ServingException">As for <see cref="Rent(int)"/>.</exception>
    public void Take(long bytes)
    {
        if (!pool.TryTake(bytes, limit))
        {
            throw Full(bytes, bytes);
        }
    }

    /// <summary>Ends what <see cref="Take"/> counts.</summary>
    public void GiveBack(long bytes) => pool.Forget(bytes);

    /// <param name="wanted">Bytes that were asked for.</param>
    /// <param name="own">What the message would take alone.</param>
    private ServingException Full(long wanted, long own) => new(own > limit
        ? new Failure(StatusCode.ResourceExhausted, $"the request is too large: to read it takes {own} bytes of memory, and large messages may take {limit >> 20} MiB of this gateway together")
        : Failure.Exhausted($"large messages take nearly all of the {limit >> 20} MiB that they may take of this gateway together: {wanted} bytes more do not fit now", NextTry));
}
