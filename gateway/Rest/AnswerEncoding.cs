using System.IO.Compression;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cluster.Gateway.Rest;

/// <summary>
/// Compression of answers. Only inference answers are compressed, and only where the client names the encoding: some clients that
/// name it always do not undo it elsewhere.
/// </summary>
internal static class AnswerEncoding
{
    private const string Gzip = "gzip";
    private const string Deflate = "deflate";

    /// <summary>The encoding that the client likes best of those we have; null for none.</summary>
    public static string? Choose(HttpRequest request)
    {
        var header = request.Headers.AcceptEncoding;
        if (header.Count == 0 || !StringWithQualityHeaderValue.TryParseList(header, out var accepted))
        {
            return null;
        }

        var gzip = QualityOf(accepted, Gzip);
        var deflate = QualityOf(accepted, Deflate);
        return gzip <= 0 && deflate <= 0 ? null : gzip >= deflate ? Gzip : Deflate;
    }

    /// <summary>A stream that compresses into <paramref name="target"/> and leaves it open.</summary>
    public static Stream Compress(Stream target, string encoding) => encoding == Gzip
        ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true);

    private static double QualityOf(IList<StringWithQualityHeaderValue> accepted, string encoding)
    {
        foreach (var value in accepted)
        {
            if (value.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase))
            {
                return value.Quality ?? 1;
            }
        }

        return 0;
    }
}
