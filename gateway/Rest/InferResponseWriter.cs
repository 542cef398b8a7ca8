using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

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
