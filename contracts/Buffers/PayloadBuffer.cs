namespace Cluster.Contracts.Buffers;

/// <summary>
/// A message's bytes in pooled memory, counted: the memory goes back to the pool with the last holder. Safe to hold from several threads; the bytes
/// are written by the first holder alone, before it lets others hold them.
/// </summary>
/// <remarks>
/// <para>
/// The rule for calls. An argument is lent: the caller keeps its count and releases it when the call has ended, however it ended. A result is handed over
/// (<see cref="HandOver"/>): the caller releases it. Each other user of a payload, a grain or the transport, takes a count of its own with <see cref="TryTake"/> and
/// releases it when done. For a lent payload that is one more count. For one that came with a message it is the message's. A payload with a message that reached no
/// grain is left to the garbage collector. A large one is no longer counted then.
/// </para>
/// <para>
/// Managed arrays start at a multiple of 8 and stay there when the collector moves them. So an element placed at a
/// multiple of 8 from the array's start is naturally aligned for every datatype. <see cref="Rent"/>'s padding serves that.
/// </para>
/// </remarks>
public sealed class PayloadBuffer : IDisposable
{
    /// <summary>The alignment that tensor bytes get where the layout allows it: the size of the widest element.</summary>
    public const int TensorAlignment = 8;

    /// <summary>Bits of <see cref="_state"/>: the padding; whether the first count is for the next that takes; the count. One field, so that the claim costs a small buffer nothing.</summary>
    private const int PaddingBits = TensorAlignment - 1;
    private const int Carried = TensorAlignment;
    private const int OneHolder = Carried << 1;

    private static long _outstanding;

    /// <summary>Null where the array is small.</summary>
    private readonly LargeClaim? _claim;
    private byte[]? _array;
    private int _state;

    private PayloadBuffer(byte[]? array, LargeClaim? claim, int padding, int length)
    {
        _array = array;
        _claim = claim;
        _state = OneHolder | padding;
        Length = length;
        Interlocked.Increment(ref _outstanding);
    }

    /// <summary>Buffers of this process that are held, or that were left to the collector.</summary>
    public static long Outstanding => Interlocked.Read(ref _outstanding);

    /// <summary>Bytes in use; shrinks through <see cref="Truncate"/>.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes by which the first lies behind a multiple of 8, 0 to 7.</summary>
    public int Padding => Volatile.Read(ref _state) & PaddingBits;

    /// <summary>The bytes. Throws <see cref="ObjectDisposedException"/> once given back.</summary>
    public Span<byte> Span => Array.AsSpan(Padding, Length);

    /// <inheritdoc cref="Span"/>
    public Memory<byte> Memory => Array.AsMemory(Padding, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PayloadBuffer));

    /// <summary>Takes memory from the pool.</summary>
    /// <param name="length">Bytes wanted, 0 to <see cref="System.Array.MaxLength"/> − 7.</param>
    /// <param name="padding">Bytes left free in front, 0 to 7, so that a chosen byte lands on a multiple of 8.</param>
    public static PayloadBuffer Rent(int length, int padding = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)padding, (uint)TensorAlignment, nameof(padding));
        return Adopt(PayloadPool.Shared, PayloadPool.Shared.Rent(length + padding), length, padding);
    }

    /// <summary>Takes over an array that was rented from <see cref="PayloadPool.Shared"/>; its first <paramref name="length"/> bytes are the message.</summary>
    public static PayloadBuffer Adopt(byte[] rented, int length) => Adopt(PayloadPool.Shared, rented, length, 0);

    /// <summary>Takes memory from the pool and copies <paramref name="bytes"/> into it.</summary>
    public static PayloadBuffer CopyOf(ReadOnlySpan<byte> bytes)
    {
        var buffer = Rent(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>A payload without memory: its caller gave up before it was sent.</summary>
    public static PayloadBuffer GivenBack()
    {
        var buffer = new PayloadBuffer(null, null, 0, 0);
        buffer.Dispose();
        return buffer;
    }

    /// <summary>Gives up the bytes after <paramref name="length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length, nameof(length));
        Length = length;
    }

    /// <summary>Leaves the count of its only holder to the next that takes.</summary>
    /// <returns>This buffer.</returns>
    /// <exception cref="InvalidOperationException">There are other holders: one of them would take the count.</exception>
    public PayloadBuffer HandOver()
    {
        if (Volatile.Read(ref _state) / OneHolder != 1)
        {
            throw new InvalidOperationException("a payload that others hold cannot be handed over");
        }

        Interlocked.Or(ref _state, Carried);
        return this;
    }

    /// <summary>One more holder, by one that holds it already.</summary>
    /// <exception cref="ObjectDisposedException">It has been given back.</exception>
    public void Retain() => ObjectDisposedException.ThrowIf(!TryRetain(), this);

    /// <summary>Becomes a holder: with the count that was handed over, if one was, else with one more.</summary>
    /// <returns>False if the memory has been given back. The caller then has no count to release.</returns>
    public bool TryTake()
    {
        int state;
        do
        {
            state = Volatile.Read(ref _state);
            if (state < OneHolder)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _state, (state & Carried) != 0 ? state - Carried : state + OneHolder, state) != state);

        return true;
    }

    /// <summary>Gives up one count; the memory goes back to the pool with the last. Once it is back, a further call does nothing.</summary>
    public void Dispose()
    {
        int state;
        do
        {
            state = Volatile.Read(ref _state);
            if (state < OneHolder)
            {
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _state, state - OneHolder, state) != state);

        if (state < 2 * OneHolder)
        {
            Interlocked.Decrement(ref _outstanding);
            if (Interlocked.Exchange(ref _array, null) is { } array)
            {
                // First: what is back in the pool may be another's already.
                _claim?.Dispose();
                (_claim?.Pool ?? PayloadPool.Shared).Return(array);
            }
        }
    }

    /// <summary>Takes over an array that was rented from <paramref name="pool"/>.</summary>
    /// <param name="padding">As for <see cref="Rent"/>: the message begins behind it.</param>
    internal static PayloadBuffer Adopt(PayloadPool pool, byte[] rented, int length, int padding) => new(rented, pool.Claim(rented), padding, length);

    /// <inheritdoc cref="Retain"/>
    /// <returns>False if the memory has been given back.</returns>
    internal bool TryRetain()
    {
        int state;
        do
        {
            state = Volatile.Read(ref _state);
            if (state < OneHolder)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _state, state + OneHolder, state) != state);

        return true;
    }
}
