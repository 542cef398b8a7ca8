using System.Buffers.Text;
using System.Text;

namespace Cluster.Bench.Clients;

/// <summary>The status and the two lengths in the head of an HTTP/1.1 answer.</summary>
/// <param name="Size">Bytes of the head, its blank line included.</param>
/// <param name="Status">Such as 200.</param>
/// <param name="ContentLength">Bytes that follow.</param>
/// <param name="JsonLength"><c>Inference-Header-Content-Length</c>; −1 where there is none.</param>
internal readonly record struct HttpHead(int Size, int Status, int ContentLength, int JsonLength)
{
    private static ReadOnlySpan<byte> BlankLine => "\r\n\r\n"u8;

    /// <summary>False while the head has not come whole.</summary>
    /// <exception cref="InvalidDataException">It is not one that this client reads.</exception>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out HttpHead head)
    {
        head = default;
        var size = bytes.IndexOf(BlankLine);
        if (size < 0)
        {
            return false;
        }

        if (!bytes.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(bytes[9..], out int status, out _))
        {
            throw new InvalidDataException("the server does not speak HTTP/1.1 here");
        }

        var lines = bytes[..(size + 2)];
        var contentLength = Header(lines, "content-length");
        head = new HttpHead(size + BlankLine.Length, status, contentLength, Header(lines, "inference-header-content-length"));
        return contentLength >= 0
            ? true
            : throw new InvalidDataException($"HTTP {status} without Content-Length, which this client does not read");
    }

    /// <param name="lowerCaseName">The header's name.</param>
    /// <returns>Its number; −1 where it is missing or no number.</returns>
    private static int Header(ReadOnlySpan<byte> lines, string lowerCaseName)
    {
        while (true)
        {
            var lineEnd = lines.IndexOf("\r\n"u8);
            if (lineEnd < 0)
            {
                return -1;
            }

            var line = lines[..lineEnd];
            if (line.Length > lowerCaseName.Length && line[lowerCaseName.Length] == (byte)':'
                && Ascii.EqualsIgnoreCase(line[..lowerCaseName.Length], lowerCaseName))
            {
                return Utf8Parser.TryParse(line[(lowerCaseName.Length + 1)..].TrimStart((byte)' '), out int value, out _) && value >= 0 ? value : -1;
            }

            lines = lines[(lineEnd + 2)..];
        }
    }
}
