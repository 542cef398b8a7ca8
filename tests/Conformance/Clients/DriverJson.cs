using System.Text.Json;
using System.Text.Json.Nodes;
using Google.Protobuf;

namespace Cluster.Conformance.Clients;

/// <summary>The drivers' commands and answers, as README.md beside this file describes them.</summary>
internal static class DriverJson
{
    private static readonly JsonFormatter Formatter = new(JsonFormatter.Settings.Default.WithPreserveProtoFieldNames(true));

    public static JsonObject Unary(string target, string method, IMessage request, CallOptions? options) =>
        With(Call("unary", target, method, options), "request", Message(request));

    public static JsonObject RawUnary(string target, string method, ReadOnlyMemory<byte> request, CallOptions? options) =>
        With(Call("raw_unary", target, method, options), "request_base64", Convert.ToBase64String(request.Span));

    public static JsonObject Stream(string target, string method, IEnumerable<IMessage> requests, StreamOptions? options) =>
        With(StreamCall("stream", target, method, options), "requests", new JsonArray([.. requests.Select(Message)]));

    public static JsonObject ServerStream(string target, string method, IMessage request, StreamOptions? options) =>
        With(StreamCall("server_stream", target, method, options), "request", Message(request));

    public static JsonObject Load(string target, string method, IMessage request, int concurrency, TimeSpan duration, CallOptions? options)
    {
        var command = With(Call("load", target, method, options), "request", Message(request));
        command["concurrency"] = concurrency;
        command["seconds"] = duration.TotalSeconds;
        return command;
    }

    public static JsonObject Cancel(long id) => new() { ["op"] = "cancel", ["of"] = id };

    public static JsonObject AwaitResponses(long id, int count, TimeSpan timeout) =>
        new() { ["op"] = "await_responses", ["of"] = id, ["count"] = count, ["timeout"] = timeout.TotalSeconds };

    public static JsonObject Http(HttpCall call)
    {
        var headers = new JsonObject();
        foreach (var name in call.Headers.GroupBy(header => header.Key, header => header.Value))
        {
            headers[name.Key] = new JsonArray([.. name.Select(value => (JsonNode)value)]);
        }

        var command = new JsonObject { ["op"] = "http", ["method"] = call.Method, ["url"] = call.Url, ["headers"] = headers };
        SetUnlessNull(command, "body_base64", call.Body is { } body ? Convert.ToBase64String(body.Span) : null);
        SetUnlessNull(command, "compress", call.Compress);
        SetUnlessNull(command, "timeout", call.Timeout?.TotalSeconds);
        return command;
    }

    public static GrpcResult<T> Unary<T>(JsonElement answer)
        where T : class, IMessage<T>, new() =>
        Result(answer, answer.TryGetProperty("response", out var response) ? Parse<T>(response) : null);

    public static GrpcResult<byte[]> RawUnary(JsonElement answer) =>
        Result(answer, answer.TryGetProperty("response_base64", out var response) ? response.GetBytesFromBase64() : null);

    public static GrpcStreamResult<T> Stream<T>(JsonElement answer)
        where T : class, IMessage<T>, new() =>
        new(
            Text(answer, "code"),
            Text(answer, "details"),
            Responses<T>(answer),
            Texts(answer.GetProperty("initialMetadata")),
            Texts(answer.GetProperty("trailers")),
            Elapsed(answer));

    public static IReadOnlyList<T> Responses<T>(JsonElement answer)
        where T : class, IMessage<T>, new() =>
        [.. answer.GetProperty("responses").EnumerateArray().Select(Parse<T>)];

    public static HttpResult Http(JsonElement answer) =>
        new(
            answer.GetProperty("status").GetInt32(),
            answer.TryGetProperty("headers", out var headers) ? Texts(headers) : new Dictionary<string, string>(),
            Text(answer, "content_encoding"),
            answer.TryGetProperty("body_base64", out var body) ? body.GetBytesFromBase64() : [],
            Text(answer, "error"),
            Text(answer, "details"),
            Elapsed(answer));

    public static LoadResult Load(JsonElement answer) =>
        new(
            answer.GetProperty("counts").EnumerateObject().ToDictionary(count => count.Name, count => count.Value.GetInt64()),
            Texts(answer.GetProperty("details")),
            Elapsed(answer));

    public static Dictionary<string, string> Texts(JsonElement texts) =>
        texts.EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString()!);

    private static JsonObject Call(string op, string target, string method, CallOptions? options)
    {
        var command = new JsonObject { ["op"] = op, ["target"] = target, ["method"] = method };
        if (options?.Metadata is { } metadata)
        {
            command["metadata"] = new JsonObject(metadata.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));
        }

        SetUnlessNull(command, "timeout", options?.Timeout?.TotalSeconds);
        SetUnlessNull(command, "compression", options?.Compression);
        SetUnlessNull(command, "cancelAfterMs", options?.CancelAfter?.TotalMilliseconds);
        return command;
    }

    private static JsonObject StreamCall(string op, string target, string method, StreamOptions? options)
    {
        var command = Call(op, target, method, options);
        if (options is not null)
        {
            command["halfClose"] = options.HalfClose;
            command["lockstep"] = options.Lockstep;
            SetUnlessNull(command, "maxResponses", options.MaxResponses);
        }

        return command;
    }

    private static JsonObject With(JsonObject command, string name, JsonNode? value)
    {
        command[name] = value;
        return command;
    }

    private static void SetUnlessNull(JsonObject command, string name, JsonNode? value)
    {
        if (value is not null)
        {
            command[name] = value;
        }
    }

    private static JsonNode Message(IMessage message) => JsonNode.Parse(Formatter.Format(message))!;

    private static T Parse<T>(JsonElement message)
        where T : class, IMessage<T>, new() =>
        JsonParser.Default.Parse<T>(message.GetRawText());

    private static GrpcResult<T> Result<T>(JsonElement answer, T? response)
        where T : class =>
        new(
            Text(answer, "code"),
            Text(answer, "details"),
            response,
            Texts(answer.GetProperty("initialMetadata")),
            Texts(answer.GetProperty("trailers")),
            Elapsed(answer));

    private static string Text(JsonElement answer, string name) => answer.TryGetProperty(name, out var text) ? text.GetString()! : "";

    private static TimeSpan Elapsed(JsonElement answer) => TimeSpan.FromMilliseconds(answer.GetProperty("elapsedMs").GetDouble());
}
