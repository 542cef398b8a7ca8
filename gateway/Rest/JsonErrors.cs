using System.Text.Json;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest;

/// <summary>Describes the mistake in JSON that cannot be read.</summary>
internal static class JsonErrors
{
    /// <param name="json">The whole text that a reader refused, wherever it had begun. The mistake's place counts from the start of the text.</param>
    public static ServingException Malformed(ReadOnlySpan<byte> json, JsonReaderOptions options)
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
            return Malformed(json, (int)reader.BytesConsumed, error, options.MaxDepth);
        }
    }

    /// <param name="consumed">Bytes up to the end of the last token that could be read.</param>
    public static ServingException Malformed(ReadOnlySpan<byte> json, int consumed, JsonException error, int maxDepth)
    {
        var next = json[consumed..].TrimStart(" \t\r\n,:["u8);
        var number = next.StartsWith("-"u8) ? next[1..] : next;
        var hint = number.StartsWith(FloatText.NaN) || number.StartsWith(FloatText.Infinity)
            ? $"; JSON has no such number: write {FloatText.Expected} instead, or send the tensor as binary data"
            : "";
        return new ServingException(Failure.InvalidArgument($"the request is not valid JSON: {JsonMistake.Of(json, error, maxDepth)}{hint}"), error);
    }
}
