using System.Text.Json;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest.Json;

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

/// <summary>Walks JSON objects and reports mistakes in their form.</summary>
internal static class JsonMembers
{
    /// <summary>Inputs, outputs or parameters: more than any model has; a request with more is refused before it costs memory.</summary>
    private const int MaxEntries = 4096;

    /// <summary>Moves to the name of the next member; false at the end of the object.</summary>
    public static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Moves to the current member's value. False for null, which many serializers write for an absent member.</summary>
    public static bool HasValue(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType != JsonTokenType.Null;

    public static void RequireObject(ref Utf8JsonReader reader, string what, string? form = null) =>
        Require(reader.TokenType == JsonTokenType.StartObject, what, form is null ? "an object" : $"an object: {form}");

    public static void RequireArray(ref Utf8JsonReader reader, string what) => Require(reader.TokenType == JsonTokenType.StartArray, what, "an array");

    public static void Limit(int count, string what)
    {
        if (count >= MaxEntries)
        {
            throw ServingException.InvalidArgument($"the request has more than {MaxEntries} {what}");
        }
    }

    public static void Once(bool seen, string owner, string name)
    {
        if (seen)
        {
            throw ServingException.InvalidArgument($"{owner} has {name} twice");
        }
    }

    private static void Require(bool condition, string what, string kind)
    {
        if (!condition)
        {
            throw ServingException.InvalidArgument($"{what} must be {kind}");
        }
    }
}

/// <summary>Describes the mistake in JSON that cannot be read.</summary>
internal static class MalformedJson
{
    /// <param name="json">The whole text that a reader refused, wherever it had begun. The mistake's place counts from the start of the text.</param>
    public static ServingException Of(ReadOnlySpan<byte> json, JsonReaderOptions options)
    {
        var reader = new Utf8JsonReader(json, options);
        try
        {
            while (reader.Read())
            {
            }

            return ServingException.InvalidArgument("the request is not valid JSON");
        }
        catch (JsonException error)
        {
            return Of(json, (int)reader.BytesConsumed, error, options.MaxDepth);
        }
    }

    /// <param name="consumed">Bytes up to the end of the last token that could be read.</param>
    public static ServingException Of(ReadOnlySpan<byte> json, int consumed, JsonException error, int maxDepth)
    {
        var next = json[consumed..].TrimStart(" \t\r\n,:["u8);
        var number = next.StartsWith("-"u8) ? next[1..] : next;
        var hint = number.StartsWith(FloatText.NaN) || number.StartsWith(FloatText.Infinity)
            ? $"; JSON has no such number: write {FloatText.Expected} instead, or send the tensor as binary data"
            : "";
        return new ServingException(Failure.InvalidArgument($"the request is not valid JSON: {JsonMistake.Of(json, error, maxDepth)}{hint}"), error);
    }
}
