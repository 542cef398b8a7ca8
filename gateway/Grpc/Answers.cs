using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Buffers;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Grpc;

/// <summary>Writes answers: compressed for clients that compress, large ones piece by piece.</summary>
internal static class Answers
{
    // The server copies its input before it waits for the client. Pieces keep that copy small where answers are not read.
    private const int ChunkLength = 256 << 10;
    private const int PrefixLength = 5;

    // The library's name for the encoding of a call's answers.
    private const string EncodingRequest = "grpc-internal-encoding-request";

    private static readonly WriteOptions Buffered = new(WriteFlags.BufferHint);

    /// <summary>Writes <paramref name="answer"/>, which stays the caller's. Waits while the client does not take what was sent before.</summary>
    /// <param name="isLast">Whether the call ends with it: then a small one leaves together with the trailers.</param>
    public static async ValueTask WriteAsync(
        this IServerStreamWriter<PayloadBuffer> answers, ServerCallContext call, PayloadBuffer answer, bool isLast)
    {
        var compressed = await BeginAsync(call).ConfigureAwait(false);
        if (answer.Length > ChunkLength && !compressed)
        {
            await WriteChunksAsync(call.GetHttpContext().Response, answer.Memory).ConfigureAwait(false);
            return;
        }

        if (isLast)
        {
            call.WriteOptions = Buffered;
        }

        await answers.WriteAsync(answer).ConfigureAwait(false);
    }

    /// <summary>
    /// To be called before a call's answers: those of a client that announces an encoding for its own messages, and accepts it, get the same.
    /// The result tells whether they do.
    /// </summary>
    public static async ValueTask<bool> BeginAsync(ServerCallContext call)
    {
        var http = call.GetHttpContext();
        var encoding = http.Request.Headers.GrpcEncoding.ToString();
        if (!CheckedCompressionProvider.Encodings.Contains(encoding) || !Accepts(http.Request.Headers, encoding))
        {
            return false;
        }

        if (!http.Response.HasStarted)
        {
            await call.WriteResponseHeadersAsync(new Metadata { { EncodingRequest, encoding } }).ConfigureAwait(false);
        }

        return true;
    }

    private static bool Accepts(IHeaderDictionary headers, string encoding) =>
        headers.GetCommaSeparatedValues("grpc-accept-encoding").Contains(encoding, StringComparer.Ordinal);

    private static async ValueTask WriteChunksAsync(HttpResponse response, ReadOnlyMemory<byte> message)
    {
        await response.StartAsync().ConfigureAwait(false);
        var output = response.BodyWriter;
        var prefix = output.GetSpan(PrefixLength);
        prefix[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(prefix[1..], (uint)message.Length);
        output.Advance(PrefixLength);
        while (!message.IsEmpty)
        {
            var chunk = message[..Math.Min(message.Length, ChunkLength)];
            var result = await output.WriteAsync(chunk).ConfigureAwait(false);
            if (result.IsCompleted)
            {
                return;
            }

            message = message[chunk.Length..];
        }
    }
}

/// <summary>
/// Awaited to leave a foreign thread, such as one that runs inference and must not be kept busy with sockets. On a thread of the pool
/// it costs one check.
/// </summary>
internal readonly struct ThreadPoolHop : ICriticalNotifyCompletion
{
    public bool IsCompleted => Thread.CurrentThread.IsThreadPoolThread;

    public ThreadPoolHop GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => ThreadPool.QueueUserWorkItem(static action => action(), continuation, preferLocal: false);

    public void UnsafeOnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static action => action(), continuation, preferLocal: false);
}
