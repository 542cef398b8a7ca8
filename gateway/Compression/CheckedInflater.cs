using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;

namespace Cluster.Gateway.Compression;

/// <summary>
/// Inflates one gzip member (RFC 1952) or one zlib stream (RFC 1950) and takes only a whole one. Data that ends early, lacks its trailer, contradicts
/// it or goes on after it throws <see cref="InvalidDataException"/>, with a text for clients. .NET's own streams let all but the contradiction pass.
/// No bytes at all are taken for none: .NET compresses nothing to nothing.
/// </summary>
/// <remarks>
/// The end is found exactly because the inflater gets the last byte before the trailer by itself. It must ask for that byte and for none after it.
/// Limits are the reader's: it stops reading where it has enough. Reads either way, sync or async; leaves its source open.
/// </remarks>
internal sealed class CheckedInflater : ReadOnlyStream
{
    private const int GzipTrailerLength = 8;

    private readonly string _format;
    private readonly HeldBack _source;
    private readonly Stream _inflater;
    private readonly Crc32? _checksum;
    private uint _length;

    private CheckedInflater(string format, HeldBack source, Stream inflater, Crc32? checksum)
    {
        _format = format;
        _source = source;
        _inflater = inflater;
        _checksum = checksum;
    }

    /// <summary>For the encoding <c>gzip</c>.</summary>
    public static CheckedInflater Gzip(Stream source)
    {
        var held = new HeldBack(source, GzipTrailerLength, hasGzipHeader: true);
        return new CheckedInflater("gzip", held, new DeflateStream(held, CompressionMode.Decompress), new Crc32());
    }

    /// <summary>For the encoding <c>deflate</c>, which HTTP and gRPC use for zlib streams; the inflater itself checks that trailer.</summary>
    public static CheckedInflater Zlib(Stream source)
    {
        var held = new HeldBack(source, trailerLength: 0, hasGzipHeader: false);
        return new CheckedInflater("zlib", held, new ZLibStream(held, CompressionMode.Decompress), checksum: null);
    }

    public override int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = _inflater.Read(buffer);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw Damaged(exception);
        }

        return Check(buffer, count);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int count;
        try
        {
            count = await _inflater.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsDamage(exception))
        {
            throw Damaged(exception);
        }

        return Check(buffer.Span, count);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inflater.Dispose();
        }

        base.Dispose(disposing);
    }

    // Mostly an InvalidDataException; for a preset dictionary an internal IOException, which only its assembly tells from one of the connection.
    private static bool IsDamage(Exception exception) =>
        exception is InvalidDataException || (exception is IOException && exception.GetType().Assembly == typeof(DeflateStream).Assembly);

    private int Check(ReadOnlySpan<byte> buffer, int count)
    {
        if (count > 0)
        {
            _checksum?.Append(buffer[..count]);
            _length += (uint)count;
        }
        else if (!buffer.IsEmpty)
        {
            RequireWhole();
        }

        return count;
    }

    private void RequireWhole()
    {
        if (_source.IsEmpty)
        {
            return;
        }

        if (_source.AskedBeyondEnd)
        {
            throw new InvalidDataException($"the {_format} data ends early");
        }

        if (!_source.GaveLastByte)
        {
            throw new InvalidDataException($"bytes follow the end of the {_format} data");
        }

        if (_checksum is not null && (BinaryPrimitives.ReadUInt32LittleEndian(_source.Trailer) != _checksum.GetCurrentHashAsUInt32()
            || BinaryPrimitives.ReadUInt32LittleEndian(_source.Trailer[4..]) != _length))
        {
            throw new InvalidDataException($"the {_format} data does not fit its trailer: it is damaged, or bytes follow its end");
        }
    }

    private InvalidDataException Damaged(Exception exception) => new($"the data is not valid {_format}", exception);

    /// <summary>The source without gzip's header and trailer; what could be the trailer, and the byte before it, are held back until the end shows.</summary>
    private sealed class HeldBack(Stream source, int trailerLength, bool hasGzipHeader) : ReadOnlyStream
    {
        private const int WindowLength = 16 << 10;

        private byte[]? _window = ArrayPool<byte>.Shared.Rent(WindowLength);
        private int _start;
        private int _end;
        private bool _ended;
        private bool _headerIsDue = hasGzipHeader;

        public bool IsEmpty { get; private set; } = true;

        public bool GaveLastByte { get; private set; }

        public bool AskedBeyondEnd { get; private set; }

        public ReadOnlySpan<byte> Trailer => _window.AsSpan(_start, trailerLength);

        private int Free => _headerIsDue ? 0 : _end - _start - trailerLength - 1;

        public override int Read(Span<byte> buffer)
        {
            while (Free <= 0 && !_ended)
            {
                Arrived(source.Read(Room().Span));
            }

            return Take(buffer);
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            while (Free <= 0 && !_ended)
            {
                Arrived(await source.ReadAsync(Room(), cancellationToken).ConfigureAwait(false));
            }

            return Take(buffer.Span);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing && Interlocked.Exchange(ref _window, null) is { } window)
            {
                ArrayPool<byte>.Shared.Return(window);
            }

            base.Dispose(disposing);
        }

        private Memory<byte> Room()
        {
            _window.AsSpan(_start, _end - _start).CopyTo(_window);
            _end -= _start;
            _start = 0;
            return _end < _window!.Length ? _window.AsMemory(_end) : throw new InvalidDataException("The header is too long.");
        }

        private void Arrived(int count)
        {
            _ended = count == 0;
            IsEmpty &= _ended;
            _end += count;
            if (_headerIsDue && GzipHeaderLength(_window.AsSpan(_start, _end - _start)) is var length and > 0)
            {
                _headerIsDue = false;
                _start += length;
            }
        }

        private int Take(Span<byte> buffer)
        {
            var count = Math.Min(Free, buffer.Length);
            if (count <= 0)
            {
                // Only at the end: the last byte, once; after it, or where there never was one, nothing.
                count = Free == 0 && !_headerIsDue ? Math.Min(1, buffer.Length) : 0;
                GaveLastByte |= count == 1;
                AskedBeyondEnd |= count == 0 && !buffer.IsEmpty;
            }

            _window.AsSpan(_start, count).CopyTo(buffer);
            _start += count;
            return count;
        }

        /// <summary>RFC 1952, section 2.3; 0 where <paramref name="bytes"/> do not hold all of it.</summary>
        private static int GzipHeaderLength(ReadOnlySpan<byte> bytes)
        {
            const int fixedLength = 10;
            const int headerChecksum = 2, extra = 4, name = 8, comment = 16, reserved = 0xE0;
            if (bytes.Length < fixedLength)
            {
                return 0;
            }

            var flags = bytes[3];
            if (!bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]) || (flags & reserved) != 0)
            {
                throw new InvalidDataException("This is no gzip header.");
            }

            var length = fixedLength;
            if ((flags & extra) != 0)
            {
                if (bytes.Length < length + 2)
                {
                    return 0;
                }

                length += 2 + BinaryPrimitives.ReadUInt16LittleEndian(bytes[length..]);
            }

            foreach (var text in (ReadOnlySpan<int>)[name, comment])
            {
                if ((flags & text) != 0)
                {
                    var end = length < bytes.Length ? bytes[length..].IndexOf((byte)0) : -1;
                    if (end < 0)
                    {
                        return 0;
                    }

                    length += end + 1;
                }
            }

            length += (flags & headerChecksum) != 0 ? 2 : 0;
            return length <= bytes.Length ? length : 0;
        }
    }
}

/// <summary>A stream that is only read, forwards: its heirs say how, into a span and into memory.</summary>
internal abstract class ReadOnlyStream : Stream
{
    public sealed override bool CanRead => true;

    public sealed override bool CanSeek => false;

    public sealed override bool CanWrite => false;

    public sealed override long Length => throw new NotSupportedException();

    public sealed override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public abstract override int Read(Span<byte> buffer);

    public abstract override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default);

    public sealed override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public sealed override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public sealed override void Flush()
    {
    }

    public sealed override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public sealed override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public sealed override void SetLength(long value) => throw new NotSupportedException();
}
