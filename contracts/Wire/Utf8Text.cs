using System.Text;

namespace Cluster.Contracts.Wire;

/// <summary>Text out of a message, for errors and for keys.</summary>
public static class Utf8Text
{
    /// <summary>Names in errors are cut here, so that a client cannot make us send its megabytes back.</summary>
    private const int MaxLength = 256;

    /// <summary>The text at <paramref name="slice"/>, cut after 256 bytes.</summary>
    public static string Of(ReadOnlySpan<byte> message, Slice slice) => Of(slice.Of(message));

    /// <inheritdoc cref="Of(ReadOnlySpan{byte}, Slice)"/>
    public static string Of(ReadOnlySpan<byte> utf8) =>
        utf8.Length <= MaxLength ? Encoding.UTF8.GetString(utf8) : Encoding.UTF8.GetString(utf8[..MaxLength]) + "…";
}
