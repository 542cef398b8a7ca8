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
