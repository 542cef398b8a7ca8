using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>
/// Writes the body of one message into pooled memory and notes the segments that travel beside it. Not thread-safe. Whoever takes
/// the memory with <see cref="Detach"/> gives it back to the pool.
/// </summary>
public sealed class WireWriter
{
    private const int InitialCapacity = 512;
    private const int MaxVarintLength = 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialCapacity);
    private List<WireSegment>? _segments;

    internal WireWriter()
    {
    }

    internal int Length { get; private set; }

    internal IReadOnlyList<WireSegment> Segments => _segments ?? (IReadOnlyList<WireSegment>)[];

    /// <summary>Writes a member of an object: its key, then its value.</summary>
    /// <exception cref="WireFormatException">The value cannot be written.</exception>
    public void WriteMember<T>(uint id, WireCodec<T> codec, T value) => codec.WriteMember(this, id, value);

    /// <summary>The end of an object.</summary>
    internal void WriteEnd() => WriteByte(0);

    // Identifiers are shifted by one, so that no key is the zero that ends an object.
    internal void WriteKey(uint id, WireKind kind) => WriteVarint(((ulong)id + 1) << WireReader.KindBits | (uint)kind);

    internal void WriteByte(byte value) => Reserve(1)[0] = value;

    internal void WriteVarint(ulong value)
    {
        Ensure(MaxVarintLength);
        while (value >= 0x80)
        {
            _buffer[Length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        _buffer[Length++] = (byte)value;
    }

    internal void WriteSigned(long value) => WriteVarint((ulong)((value << 1) ^ (value >> 63)));

    internal void WriteFixed32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(sizeof(uint)), value);

    internal void WriteFixed64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(sizeof(ulong)), value);

    internal void WriteBytes(ReadOnlySpan<byte> bytes)
    {
        WriteVarint((uint)bytes.Length);
        bytes.CopyTo(Reserve(bytes.Length));
    }

    internal void WriteText(string text)
    {
        var length = Encoding.UTF8.GetByteCount(text);
        WriteVarint((uint)length);
        Encoding.UTF8.GetBytes(text, Reserve(length));
    }

    internal void WriteSegment(ReadOnlyMemory<byte> bytes, IDisposable owner)
    {
        _segments ??= [];
        WriteVarint((uint)_segments.Count);
        var misalignment = MemoryMarshal.TryGetArray(bytes, out var array) ? array.Offset % WireSegment.Alignment : 0;
        _segments.Add(new WireSegment(bytes, misalignment, owner));
    }

    /// <summary>The next bytes, for the caller to fill.</summary>
    internal Span<byte> Reserve(int count)
    {
        Ensure(count);
        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }

    internal Span<byte> Written => _buffer.AsSpan(0, Length);

    /// <summary>Hands over the memory, of which the first <see cref="Length"/> bytes are written.</summary>
    internal byte[] Detach()
    {
        var buffer = _buffer;
        _buffer = [];
        return buffer;
    }

    /// <summary>Gives the memory back where nobody took it.</summary>
    internal void Abandon()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(Detach());
        }
    }

    private void Ensure(int count)
    {
        if (_buffer.Length - Length < count)
        {
            Grow(count);
        }
    }

    private void Grow(int count)
    {
        if (count > Array.MaxLength - Length)
        {
            throw new WireFormatException("a message body is larger than any array");
        }

        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Max(Length + (long)count, Math.Min(_buffer.Length * 2L, Array.MaxLength)));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}
