namespace Cluster.Contracts.Buffers;

/// <summary>
/// A message's bytes in pooled memory. It has one owner at a time: whoever is handed it disposes it or hands it on,
/// and never touches it afterwards. Not thread-safe.
/// </summary>
/// <remarks>
/// Managed arrays start at a multiple of 8 and stay there when the collector moves them, so an element placed at a
/// multiple of 8 from the array's start is naturally aligned for every datatype; <see cref="Rent"/>'s padding serves that.
/// </remarks>
public sealed class PayloadBuffer : IDisposable
{
    /// <summary>The alignment that tensor bytes get where the layout allows it: the size of the widest element.</summary>
    public const int TensorAlignment = 8;

    private readonly int _start;
    private byte[]? _array;

    private PayloadBuffer(byte[] array, int start, int length)
    {
        _array = array;
        _start = start;
        Length = length;
    }

    /// <summary>Bytes in use; shrinks through <see cref="Truncate"/>.</summary>
    public int Length { get; private set; }

    /// <summary>The bytes. Throws <see cref="ObjectDisposedException"/> once given back.</summary>
    public Span<byte> Span => Array.AsSpan(_start, Length);

    /// <inheritdoc cref="Span"/>
    public Memory<byte> Memory => Array.AsMemory(_start, Length);

    private byte[] Array => _array ?? throw new ObjectDisposedException(nameof(PayloadBuffer));

    /// <summary>Takes memory from the pool.</summary>
    /// <param name="length">Bytes wanted, 0 to <see cref="System.Array.MaxLength"/> − 7.</param>
    /// <param name="padding">Bytes left free in front, 0 to 7, so that a chosen byte lands on a multiple of 8.</param>
    public static PayloadBuffer Rent(int length, int padding = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)padding, (uint)TensorAlignment, nameof(padding));
        return new PayloadBuffer(PayloadPool.Shared.Rent(length + padding), padding, length);
    }

    /// <summary>Takes over an array that was rented from <see cref="PayloadPool.Shared"/>; its first <paramref name="length"/> bytes are the message.</summary>
    public static PayloadBuffer Adopt(byte[] rented, int length) => new(rented, 0, length);

    /// <summary>Takes memory from the pool and copies <paramref name="bytes"/> into it.</summary>
    public static PayloadBuffer CopyOf(ReadOnlySpan<byte> bytes)
    {
        var buffer = Rent(bytes.Length);
        bytes.CopyTo(buffer.Span);
        return buffer;
    }

    /// <summary>Gives up the bytes after <paramref name="length"/>.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length, nameof(length));
        Length = length;
    }

    /// <summary>Gives the memory back to the pool; a second call does nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _array, null) is { } array)
        {
            PayloadPool.Shared.Return(array);
        }
    }
}
