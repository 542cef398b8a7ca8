using System.Collections.Frozen;
using System.IO.Compression;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Compression;
using Grpc.Net.Compression;

namespace Cluster.Gateway.Grpc;

/// <summary>
/// Compression of messages that takes only whole data, and no more of it than a limit. The library serves cut data as if it were whole, and inflates
/// any amount.
/// </summary>
/// <param name="encoding">One of <see cref="Encodings"/>.</param>
/// <param name="limit">The largest message, bytes, after decompression.</param>
internal sealed class CheckedCompressionProvider(string encoding, long limit) : ICompressionProvider
{
    private const string Gzip = "gzip";
    private const string Deflate = "deflate";

    public static FrozenSet<string> Encodings { get; } = FrozenSet.Create(StringComparer.Ordinal, Gzip, Deflate);

    public string EncodingName => encoding;

    /// <summary>One provider for each encoding.</summary>
    public static IList<ICompressionProvider> All(long limit) => [.. Encodings.Select(name => new CheckedCompressionProvider(name, limit))];

    public Stream CreateCompressionStream(Stream stream, CompressionLevel? compressionLevel) => encoding == Gzip
        ? new GZipStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(stream, compressionLevel ?? CompressionLevel.Fastest, leaveOpen: true);

    public Stream CreateDecompressionStream(Stream stream) =>
        new Bounded(encoding == Gzip ? CheckedInflater.Gzip(stream) : CheckedInflater.Zlib(stream), limit);

    /// <summary>Reports errors in the data as gRPC's exceptions.</summary>
    private sealed class Bounded(CheckedInflater inflater, long limit) : ReadOnlyStream
    {
        private long _read;

        public override int Read(Span<byte> buffer)
        {
            try
            {
                var length = inflater.Read(buffer);
                _read += length;
                return _read <= limit
                    ? length
                    : throw new Failure(StatusCode.ResourceExhausted, $"a request message exceeds the limit of {limit} bytes once decompressed").ToRpcException();
            }
            catch (InvalidDataException exception)
            {
                throw Failure.InvalidArgument($"a request message is not what grpc-encoding says: {exception.Message}").ToRpcException();
            }
        }

        // The library hands over messages that have arrived whole.
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                inflater.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
