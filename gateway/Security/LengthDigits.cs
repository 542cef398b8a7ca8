using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Net.Http.Headers;

namespace Cluster.Gateway.Security;

/// <summary>
/// Has the web server refuse a <c>Content-Length</c> with anything but digits. The server itself takes <c>+2</c>, which a proxy before it may read as no length. The
/// bytes that follow could then be another client's request (RFC 9110, 8.6). The server asks for an encoding before it parses a length. This encoding reads each byte
/// that is no digit as a letter, which no number has.
/// </summary>
internal sealed class LengthDigits : Encoding
{
    private const char NoDigit = 'x';

    private static readonly LengthDigits Instance = new();

    private LengthDigits()
    {
    }

    public static void ApplyTo(KestrelServerOptions kestrel) =>
        kestrel.RequestHeaderEncodingSelector = static name => name == HeaderNames.ContentLength ? Instance : null;

    /// <summary>Reads as many bytes as there is room for: the server's room is larger than any length.</summary>
    public override int GetChars(ReadOnlySpan<byte> bytes, Span<char> chars)
    {
        var count = Math.Min(bytes.Length, chars.Length);
        for (var i = 0; i < count; i++)
        {
            chars[i] = char.IsAsciiDigit((char)bytes[i]) ? (char)bytes[i] : NoDigit;
        }

        return count;
    }

    public override int GetChars(byte[] bytes, int byteIndex, int byteCount, char[] chars, int charIndex) => GetChars(bytes.AsSpan(byteIndex, byteCount), chars.AsSpan(charIndex));

    public override int GetCharCount(byte[] bytes, int index, int count) => count;

    public override int GetMaxCharCount(int byteCount) => byteCount;

    public override int GetByteCount(char[] chars, int index, int count) => Latin1.GetByteCount(chars, index, count);

    public override int GetBytes(char[] chars, int charIndex, int charCount, byte[] bytes, int byteIndex) => Latin1.GetBytes(chars, charIndex, charCount, bytes, byteIndex);

    public override int GetMaxByteCount(int charCount) => Latin1.GetMaxByteCount(charCount);
}
