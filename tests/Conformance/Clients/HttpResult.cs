using System.Text;
using System.Text.Json;

namespace Cluster.Conformance.Clients;

/// <summary>The response to an <see cref="HttpCall"/>, or why there was none.</summary>
/// <param name="Status">0 when no response arrived.</param>
/// <param name="Headers">Lower-case names; values of one name joined with ", ".</param>
/// <param name="ContentEncoding">As the server sent it; empty when it sent none.</param>
/// <param name="Body">Already decompressed.</param>
/// <param name="Error">Empty, or <c>refused</c>, <c>closed</c>, <c>timeout</c> or <c>other</c>.</param>
/// <param name="Details">The client's own words for <paramref name="Error"/>.</param>
/// <param name="Elapsed">As the client saw it.</param>
public sealed record HttpResult(
    int Status,
    IReadOnlyDictionary<string, string> Headers,
    string ContentEncoding,
    ReadOnlyMemory<byte> Body,
    string Error,
    string Details,
    TimeSpan Elapsed)
{
    public string Text => Encoding.UTF8.GetString(Body.Span);

    /// <summary>The body as JSON.</summary>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    public JsonElement Json => JsonSerializer.Deserialize<JsonElement>(Body.Span);
}
