using System.Text;
using System.Text.Json;

namespace Cluster.Conformance.Clients;

/// <summary>
/// One HTTP/1.1 request on a connection of its own. Besides <see cref="Headers"/> only Host, Connection and Content-Length are sent,
/// each unless it is given; the URL's path and query arrive as they are written.
/// </summary>
public sealed record HttpCall(string Method, string Url)
{
    /// <summary>A name may occur more than once.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers { get; init; } = [];

    /// <summary>Null: no body. With the header <c>Transfer-Encoding: chunked</c> it is sent in chunks.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary><c>gzip</c> or <c>deflate</c>: the body is compressed and Content-Encoding set; null: sent as it is.</summary>
    public string? Compress { get; init; }

    /// <summary>Null: the driver waits as long as the connection stands.</summary>
    public TimeSpan? Timeout { get; init; }
}

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
