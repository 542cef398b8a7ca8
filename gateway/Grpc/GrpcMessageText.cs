using System.Buffers;
using System.Text;

namespace Cluster.Gateway.Grpc;

/// <summary>The percent-encoding of <c>grpc-message</c>: UTF-8 bytes other than printable ASCII, and the percent sign.</summary>
internal static class GrpcMessageText
{
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        " !\"#$&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    public static string Encode(string text)
    {
        if (!text.AsSpan().ContainsAnyExcept(Plain))
        {
            return text;
        }

        var encoded = new StringBuilder(text.Length + 16);
        foreach (var value in Encoding.UTF8.GetBytes(text))
        {
            if (Plain.Contains((char)value))
            {
                encoded.Append((char)value);
            }
            else
            {
                encoded.Append('%').Append(Hex(value >> 4)).Append(Hex(value & 15));
            }
        }

        return encoded.ToString();
    }

    private static char Hex(int digit) => (char)(digit < 10 ? '0' + digit : 'A' + digit - 10);
}
