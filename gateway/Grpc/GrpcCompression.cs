using System.IO.Compression;
using Cluster.Contracts.Buffers;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Grpc;

/// <summary>The encodings of messages, and the compression of answers.</summary>
internal static class GrpcCompression
{
    public const string EncodingHeader = "grpc-encoding";
    public const string AcceptHeader = "grpc-accept-encoding";
    public const string Supported = "identity,gzip,deflate";

    public static string NameOf(GrpcEncoding encoding) => encoding switch
    {
        GrpcEncoding.Gzip => "gzip",
        GrpcEncoding.Deflate => "deflate",
        _ => "identity",
    };

    /// <summary>Reads <c>grpc-encoding</c>; absent means identity.</summary>
    public static bool TryRead(IHeaderDictionary headers, out GrpcEncoding encoding)
    {
        encoding = GrpcEncoding.Identity;
        if (!headers.TryGetValue(EncodingHeader, out var value))
        {
            return true;
        }

        switch (value.ToString())
        {
            case "" or "identity":
                return true;
            case "gzip":
                encoding = GrpcEncoding.Gzip;
                return true;
            case "deflate":
                encoding = GrpcEncoding.Deflate;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Whether the client takes answers in <paramref name="encoding"/>.</summary>
    public static bool Accepts(IHeaderDictionary headers, GrpcEncoding encoding)
    {
        var name = NameOf(encoding);
        foreach (var line in headers[AcceptHeader])
        {
            var text = line.AsSpan();
            foreach (var range in text.Split(','))
            {
                if (text[range].Trim().Equals(name, StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// The compressed form of <paramref name="message"/>, which stays the caller's; null if it would not be smaller.
    /// </summary>
    public static PayloadBuffer? TryCompress(PayloadBuffer message, GrpcEncoding encoding)
    {
        using var target = new PayloadStream(message.Length);
        using (Stream deflater = encoding == GrpcEncoding.Gzip
            ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
            : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true))
        {
            deflater.Write(message.Span);
        }

        return target.TryDetach();
    }
}
