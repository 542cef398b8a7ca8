using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cluster.Gateway.Rest.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Cluster.Gateway.Rest.Infer;

/// <summary>
/// Writes an inference answer: JSON, and behind it the bytes of those outputs that were asked for so. JSON goes out in pieces, so that a
/// large answer is never held twice.
/// </summary>
internal static class InferResponseWriter
{
    /// <summary>JSON is sent on once this much is there; also up to where small tensors share one write with the JSON.</summary>
    private const int PieceSize = 32 << 10;

    /// <summary>Above a piece, so that what one more block adds still fits.</summary>
    private const int StagingSize = 2 * PieceSize;

    /// <param name="message">A serialized <c>ModelInferResponse</c>; the caller keeps it alive until this ends.</param>
    public static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> message, JsonInferRequest request)
    {
        var answer = InferAnswer.Check(message, request);
        var encoding = AnswerEncoding.Choose(context.Request);
        using var staging = new PooledWriter(StagingSize);
        if (encoding is null)
        {
            await WriteAsync(context, answer, staging, context.Response.Body, compressed: false);
            return;
        }

        context.Response.Headers.ContentEncoding = encoding;
        var stream = AnswerEncoding.Compress(context.Response.Body, encoding);
        await using (stream)
        {
            await WriteAsync(context, answer, staging, stream, compressed: true);
        }
    }

    private static Task WriteAsync(HttpContext context, InferAnswer answer, PooledWriter staging, Stream target, bool compressed) =>
        answer.HasBinary
            ? WriteBinaryAsync(context, answer, staging, target, compressed)
            : WriteJsonAsync(context, answer, staging, target, compressed);

    private static async Task WriteJsonAsync(HttpContext context, InferAnswer answer, PooledWriter staging, Stream target, bool compressed)
    {
        var response = context.Response;
        response.ContentType = JsonAnswer.ContentType;
        var whole = true;
        using var json = new Utf8JsonWriter(staging, JsonAnswer.WriterOptions);
        InferResponseJson.WriteHead(json, answer);
        for (var output = 0; output < answer.Parsed.Outputs.Count; output++)
        {
            InferResponseJson.BeginOutput(json, answer, output);
            var tensor = answer.Elements(output);
            while (tensor.WriteBlock(json, staging))
            {
                if (staging.Count >= PieceSize)
                {
                    whole = false;
                    await SendAsync(target, staging, context.RequestAborted);
                }
            }

            InferResponseJson.EndOutput(json);
        }

        InferResponseJson.WriteTail(json);
        json.Flush();
        if (whole && !compressed)
        {
            response.ContentLength = staging.Count;
        }

        await SendAsync(target, staging, context.RequestAborted);
    }

    private static async Task WriteBinaryAsync(HttpContext context, InferAnswer answer, PooledWriter staging, Stream target, bool compressed)
    {
        var response = context.Response;
        using (var json = new Utf8JsonWriter(staging, JsonAnswer.WriterOptions))
        {
            InferResponseJson.WriteWhole(json, answer, staging);
        }

        response.ContentType = "application/octet-stream";
        response.Headers[InferHeaders.JsonLength] = staging.Count.ToString(CultureInfo.InvariantCulture);
        if (!compressed)
        {
            response.ContentLength = staging.Count + BinaryLength(answer);
        }

        for (var output = 0; output < answer.Parsed.Outputs.Count; output++)
        {
            if (answer.IsBinary(output))
            {
                await SendTensorAsync(target, staging, answer.Tensor(output), context.RequestAborted);
            }
        }

        await SendAsync(target, staging, context.RequestAborted);
    }

    private static long BinaryLength(InferAnswer answer)
    {
        long length = 0;
        for (var output = 0; output < answer.Parsed.Outputs.Count; output++)
        {
            length += answer.IsBinary(output) ? answer.Tensor(output).Length : 0;
        }

        return length;
    }

    private static async ValueTask SendTensorAsync(Stream target, PooledWriter staging, ReadOnlyMemory<byte> tensor, CancellationToken cancellationToken)
    {
        if (staging.Count + tensor.Length <= PieceSize)
        {
            tensor.Span.CopyTo(staging.GetSpan(tensor.Length));
            staging.Advance(tensor.Length);
            return;
        }

        await SendAsync(target, staging, cancellationToken);
        await target.WriteAsync(tensor, cancellationToken);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private static async ValueTask SendAsync(Stream target, PooledWriter staging, CancellationToken cancellationToken)
    {
        if (staging.Count > 0)
        {
            await target.WriteAsync(staging.Written, cancellationToken);
            staging.Clear();
        }
    }
}

/// <summary>The JSON of an inference answer around its tensors.</summary>
internal static class InferResponseJson
{
    /// <summary>All of the JSON, with the <c>data</c> of those outputs that are not binary.</summary>
    public static void WriteWhole(Utf8JsonWriter json, InferAnswer answer, PooledWriter staging)
    {
        WriteHead(json, answer);
        for (var output = 0; output < answer.Parsed.Outputs.Count; output++)
        {
            BeginOutput(json, answer, output);
            if (!answer.IsBinary(output))
            {
                var tensor = answer.Elements(output);
                while (tensor.WriteBlock(json, staging))
                {
                }
            }

            EndOutput(json);
        }

        WriteTail(json);
        json.Flush();
    }

    public static void WriteHead(Utf8JsonWriter json, InferAnswer answer)
    {
        var bytes = answer.Message.Span;
        var parsed = answer.Parsed;
        json.WriteStartObject();
        json.WriteString("model_name"u8, parsed.ModelName.Of(bytes));
        json.WriteString("model_version"u8, parsed.ModelVersion.Of(bytes));
        if (parsed.Id.Length > 0)
        {
            json.WriteString("id"u8, parsed.Id.Of(bytes));
        }

        json.WriteStartArray("outputs"u8);
    }

    /// <summary>
    /// Opens an output and describes it. Only a binary one gets <c>parameters</c>: a client takes any output with parameters for binary.
    /// </summary>
    public static void BeginOutput(Utf8JsonWriter json, InferAnswer answer, int index)
    {
        var bytes = answer.Message.Span;
        var output = answer.Parsed.Outputs[index];
        json.WriteStartObject();
        json.WriteString("name"u8, output.Name.Of(bytes));
        json.WriteString("datatype"u8, output.Datatype.Of(bytes));
        json.WriteStartArray("shape"u8);
        foreach (var dimension in answer.Parsed.Shape(output))
        {
            json.WriteNumberValue(dimension);
        }

        json.WriteEndArray();
        if (answer.IsBinary(index))
        {
            json.WriteStartObject("parameters"u8);
            json.WriteNumber("binary_data_size"u8, answer.Tensor(index).Length);
            json.WriteEndObject();
        }
    }

    public static void EndOutput(Utf8JsonWriter json) => json.WriteEndObject();

    public static void WriteTail(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>
/// Compression of answers. Only inference answers are compressed, and only where the client names the encoding: some clients that
/// name it always do not undo it elsewhere.
/// </summary>
internal static class AnswerEncoding
{
    private const string Gzip = "gzip";
    private const string Deflate = "deflate";

    /// <summary>The encoding that the client likes best of those we have; null for none.</summary>
    public static string? Choose(HttpRequest request)
    {
        var header = request.Headers.AcceptEncoding;
        if (header.Count == 0 || !StringWithQualityHeaderValue.TryParseList(header, out var accepted))
        {
            return null;
        }

        var gzip = QualityOf(accepted, Gzip);
        var deflate = QualityOf(accepted, Deflate);
        return gzip <= 0 && deflate <= 0 ? null : gzip >= deflate ? Gzip : Deflate;
    }

    /// <summary>A stream that compresses into <paramref name="target"/> and leaves it open.</summary>
    public static Stream Compress(Stream target, string encoding) => encoding == Gzip
        ? new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true)
        : new ZLibStream(target, CompressionLevel.Fastest, leaveOpen: true);

    private static double QualityOf(IList<StringWithQualityHeaderValue> accepted, string encoding)
    {
        foreach (var value in accepted)
        {
            if (value.Value.Equals(encoding, StringComparison.OrdinalIgnoreCase))
            {
                return value.Quality ?? 1;
            }
        }

        return 0;
    }
}
