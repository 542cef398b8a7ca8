using System.Text.Json;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest;

/// <summary>Strings out of a <see cref="Utf8JsonReader"/> over text that is known to be UTF-8.</summary>
internal static class JsonText
{
    /// <summary>The current string in UTF-8, unescaped.</summary>
    /// <param name="what">What the string is, for the error.</param>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not a string.</exception>
    public static byte[] Read(ref Utf8JsonReader reader, string what)
    {
        if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.PropertyName))
        {
            throw ServingException.InvalidArgument($"{what} must be a string");
        }

        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.ToArray();
        }

        var buffer = new byte[reader.ValueSpan.Length];
        return buffer.AsSpan(0, Unescape(ref reader, buffer)).ToArray();
    }

    /// <summary>
    /// Whether the current string or name is <paramref name="text"/>. Half of a surrogate pair, at which the reader itself throws, equals nothing.
    /// </summary>
    public static bool Is(ref Utf8JsonReader reader, ReadOnlySpan<byte> text)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan.SequenceEqual(text);
        }

        try
        {
            return reader.ValueTextEquals(text);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    /// <summary>The current name in UTF-8, unescaped; empty where it has half of a surrogate pair, which no name that means something has.</summary>
    public static ReadOnlySpan<byte> ReadName(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        var buffer = new byte[reader.ValueSpan.Length];
        try
        {
            return buffer.AsSpan(0, reader.CopyString(buffer));
        }
        catch (InvalidOperationException)
        {
            return default;
        }
    }

    /// <summary>Writes the current string to <paramref name="target"/>, which must hold as many bytes as its escaped form has.</summary>
    /// <returns>Bytes written.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT: half of a surrogate pair, which has no UTF-8 form.</exception>
    public static int Unescape(ref Utf8JsonReader reader, Span<byte> target)
    {
        try
        {
            return reader.CopyString(target);
        }
        catch (InvalidOperationException e)
        {
            throw new ServingException(
                Failure.InvalidArgument("a JSON string has half of a surrogate pair, which is no character"), e);
        }
    }
}
