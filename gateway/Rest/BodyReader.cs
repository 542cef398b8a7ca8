using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cluster.Gateway.Rest;

/// <summary>A request's body, decompressed where it has to be, and never longer than the limit.</summary>
internal sealed class BodyReader : IAsyncDisposable
{
    /// <summary>Memory taken on a client's word alone; more comes as its bytes do.</summary>
    private const int FirstRent = 1 << 20;

    /// <summary>As <see cref="FirstRent"/>, for a body that does not say how long it is.</summary>
    private const int FirstRentOfUnknown = 64 << 10;

    private readonly Stream _stream;
    private readonly bool _compressed;
    private readonly long _limit;
    private long _read;

    private BodyReader(Stream stream, bool compressed, long? length, long limit, PayloadRoom room)
    {
        _stream = stream;
        _compressed = compressed;
        _limit = limit;
        Remaining = length;
        Room = room;
    }

    /// <summary>Where what is read finds its memory.</summary>
    public PayloadRoom Room { get; }

    /// <summary>Bytes not yet read, or null where only the end will tell.</summary>
    public long? Remaining { get; private set; }

    /// <param name="limit">The most bytes, as sent and after decompression.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: the body is announced to be longer than the limit.</exception>
    /// <exception cref="BadHttpRequestException">415: an unknown Content-Encoding.</exception>
    public static BodyReader Open(HttpContext context, long limit, PayloadRoom room)
    {
        var request = context.Request;
        var encoding = request.Headers.ContentEncoding.ToString();
        var plain = encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase);
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } sizeLimit)
        {
            // This reader counts what it reads. Kestrel resets a connection above its own limit, and the reset can overtake the answer. Without that limit Kestrel
            // reads on for a while, so the client sees why.
            sizeLimit.MaxRequestBodySize = plain || request.ContentLength > limit ? null : limit;
        }

        if (request.ContentLength > limit)
        {
            throw TooLarge(limit);
        }

        if (plain)
        {
            return new BodyReader(request.Body, compressed: false, request.ContentLength, limit, room);
        }

        return new BodyReader(Decompress(request.Body, encoding), compressed: true, length: null, limit, room);
    }

    /// <summary>Some bytes of the body; 0 at its end.</summary>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED beyond the limit; INVALID_ARGUMENT: the compressed data is damaged.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
    {
        int count;
        try
        {
            count = await _stream.ReadAsync(target, cancellationToken);
        }
        catch (InvalidDataException e)
        {
            throw new ServingException(Failure.InvalidArgument($"the body is not what its Content-Encoding says: {e.Message}"), e);
        }

        _read += count;
        Remaining -= count;
        return _read > _limit ? throw TooLarge(_limit) : count;
    }

    /// <summary>The rest of the body, or its next <paramref name="max"/> bytes if it has more; the caller owns the buffer.</summary>
    /// <exception cref="ServingException">As for <see cref="ReadAsync"/>; RESOURCE_EXHAUSTED: there is no room in memory for it.</exception>
    public async ValueTask<PayloadBuffer> ReadUpToAsync(long max, CancellationToken cancellationToken)
    {
        var known = Math.Min(max, Remaining ?? max);
        var array = Room.Rent((int)Math.Min(known, Remaining is null ? FirstRentOfUnknown : FirstRent));
        var length = 0;
        try
        {
            while (length < known)
            {
                if (length == array.Length)
                {
                    array = Room.Grow(array, length, (int)Math.Min(2L * array.Length, Math.Min(known, Array.MaxLength)));
                }

                var count = await ReadAsync(array.AsMemory(length, (int)Math.Min(array.Length - length, known - length)), cancellationToken);
                if (count == 0)
                {
                    break;
                }

                length += count;
            }
        }
        catch
        {
            Room.Return(array);
            throw;
        }

        return Room.Adopt(array, length);
    }

    /// <summary>Whether every byte has been read; reads one where the length is not known.</summary>
    public async ValueTask<bool> IsAtEndAsync(CancellationToken cancellationToken) =>
        Remaining is { } remaining ? remaining == 0 : await ReadAsync(new byte[1], cancellationToken) == 0;

    public ValueTask DisposeAsync() => _compressed ? _stream.DisposeAsync() : ValueTask.CompletedTask;

    private static CheckedInflater Decompress(Stream body, string encoding) => encoding.ToLowerInvariant() switch
    {
        "gzip" => CheckedInflater.Gzip(body),
        "deflate" => CheckedInflater.Zlib(body),
        _ => throw new BadHttpRequestException(
            $"Content-Encoding '{encoding}' is not supported; send gzip, deflate (a zlib stream) or identity", StatusCodes.Status415UnsupportedMediaType),
    };

    private static ServingException TooLarge(long limit) =>
        new(new Failure(StatusCode.ResourceExhausted, $"the request's body is larger than {limit} bytes, the most that this server takes"));
}
