using System.Collections.Frozen;
using System.IO.Compression;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Compression;
using Grpc.Core;
using Grpc.Net.Compression;
using StatusCode = Cluster.Contracts.Errors.StatusCode;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Compression of messages that takes only whole data, and no more of it than a limit. The library serves cut data as if it were whole, and inflates
/// any amount.
/// </summary>
/// <param name="encoding">One of <see cref="Encodings"/>.</param>
/// <param name="limit">The largest message, bytes, after decompression.</param>
/// <param name="room">Counts what the library takes for an inflated message.</param>
internal sealed class CheckedCompressionProvider(string encoding, long limit, PayloadRoom room) : ICompressionProvider
{
    private const string Gzip = "gzip";
    private const string Deflate = "deflate";

    public static FrozenSet<string> Encodings { get; } = FrozenSet.Create(StringComparer.Ordinal, Gzip, Deflate);

    public string EncodingName => encoding;

    /// <summary>One provider for each encoding.</summary>
    public static IList<ICompressionProvider> All(long limit, PayloadRoom room) => [.. Encodings.Select(name => new CheckedCompressionProvider(name, limit, room))];

    /// <summary>A message's content, for a reader that finds room for it by itself. Throws gRPC's exceptions for damaged data, and for more than <paramref name="limit"/> bytes.</summary>
    /// <param name="encoding">One of <see cref="Encodings"/>.</param>
    public static Stream Inflate(Stream compressed, string encoding, long limit) => new Bounded(Open(compressed, encoding), limit, null);

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => encoding == Gzip
        ? new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) => new Bounded(Open(stream, encoding), limit, room);

    private static CheckedInflater Open(Stream compressed, string encoding) => encoding == Gzip ? CheckedInflater.Gzip(compressed) : CheckedInflater.Zlib(compressed);

    /// <summary>Says in gRPC's exceptions what is wrong with the data.</summary>
    /// <param name="room">Null where the reader counts.</param>
    private sealed class Bounded(CheckedInflater inflater, long limit, PayloadRoom? room) : ReadOnlyStream
    {
        /// <summary>A shorter message counts nothing.</summary>
        private const long Uncounted = 256 << 10;

        private long _read;
        private long _taken;

        public override int Read(Span<byte> buffer)
        {
            try
            {
                return Checked(inflater.Read(buffer));
            }
            catch (InvalidDataException exception)
            {
                throw Damaged(exception);
            }
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            try
            {
                return Checked(await inflater.ReadAsync(buffer, cancellationToken).ConfigureAwait(false));
            }
            catch (InvalidDataException exception)
            {
                throw Damaged(exception);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inflater.Dispose();
                room?.GiveBack(Interlocked.Exchange(ref _taken, 0));
            }

            base.Dispose(disposing);
        }

        private static RpcException Damaged(InvalidDataException exception) =>
            Failure.InvalidArgument($"a request message is not what grpc-encoding says: {exception.Message}").ToRpcException();

        private int Checked(int length)
        {
            _read += length;
            if (_read > limit)
            {
                throw new Failure(StatusCode.ResourceExhausted, $"a request message exceeds the limit of {limit} bytes once decompressed").ToRpcException();
            }

            if (room is not null && _read > _taken + Uncounted)
            {
                Take(room);
            }

            return length;
        }

        /// <summary>As the library's own buffer grows: to twice its length.</summary>
        private void Take(PayloadRoom room)
        {
            try
            {
                room.Take(_read);
                _taken += _read;
            }
            catch (ServingException exception)
            {
                throw exception.Failure.ToRpcException();
            }
        }
    }
}
