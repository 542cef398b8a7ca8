using System.Text;
using System.Threading.Channels;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Grpc;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.KServe;

/// <summary>
/// <c>ModelStreamInfer</c>: the requests of a stream run several at once and are answered in their order. A request that fails is answered with
/// its message and id, and the stream goes on.
/// </summary>
internal sealed class StreamInference(IServingApi api, CallBoundary boundary, TimeProvider time, LateFailures late, IHostApplicationLifetime lifetime)
{
    /// <summary>Requests of one stream at once; a client that sends more waits, its flow control holding it back.</summary>
    private const int MaxInFlight = 32;

    /// <summary>What stream clients of Triton look for at the end of each answer, failed or not.</summary>
    private const string FinalParameter = "triton_final_response";

    /// <summary><c>parameters</c> with <see cref="FinalParameter"/>: a serialized field of <c>ModelInferResponse</c>, to be appended to one.</summary>
    private static readonly byte[] FinalResponse = Final(id: "").ToByteArray();

    /// <summary>Serves one stream until the client ends it, or the server stops. Requests that it has taken are still answered.</summary>
    public ValueTask RunAsync(ServerCallContext call, PayloadRequests requests, IServerStreamWriter<PayloadBuffer> answers) =>
        ServerStop.EndWithAsync(call, token => RunAsync(call, requests, answers, token), lifetime.ApplicationStopping);

    private async ValueTask RunAsync(
        ServerCallContext call, PayloadRequests requests, IServerStreamWriter<PayloadBuffer> answers, CancellationToken cancellation)
    {
        var inFlight = Channel.CreateBounded<Task<PayloadBuffer>>(
            new BoundedChannelOptions(MaxInFlight) { SingleReader = true, SingleWriter = true });
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var running = CancellationTokenSource.CreateLinkedTokenSource(call.CancellationToken);
        var writing = WriteAsync(call, inFlight.Reader, answers, reading, running);
        try
        {
            // Room first: a request that runs is answered, also if the server begins to stop while it does.
            while (await inFlight.Writer.WaitToWriteAsync(reading.Token).ConfigureAwait(false)
                && await requests.ReadAsync(reading.Token).ConfigureAwait(false) is { } message)
            {
                inFlight.Writer.TryWrite(AnswerAsync(call, message, running.Token));
            }
        }
        finally
        {
            inFlight.Writer.TryComplete();
            await writing.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Writes answers in the order of their requests, and disposes those that the client will not get. When it fails, it ends <paramref name="reading"/> and the requests that are
    /// <paramref name="running"/>, and waits for them.
    /// </summary>
    private async Task WriteAsync(
        ServerCallContext call,
        ChannelReader<Task<PayloadBuffer>> inFlight,
        IServerStreamWriter<PayloadBuffer> answers,
        CancellationTokenSource reading,
        CancellationTokenSource running)
    {
        try
        {
            await foreach (var answering in inFlight.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                using var answer = await answering.ConfigureAwait(false);
                await default(ThreadPoolHop);
                if (!call.CancellationToken.IsCancellationRequested)
                {
                    await answers.WriteAsync(call, answer, isLast: false).ConfigureAwait(false);
                }
            }
        }
        catch
        {
            // The reading side must wait neither for room that this side no longer makes, nor for a client that waits for the answer first.
            await reading.CancelAsync().ConfigureAwait(false);
            await running.CancelAsync().ConfigureAwait(false);
            await foreach (var answering in inFlight.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
            {
                await GiveUpAsync(call, answering).ConfigureAwait(false);
            }

            throw;
        }
    }

    private async ValueTask GiveUpAsync(ServerCallContext call, Task<PayloadBuffer> answering)
    {
        await ((Task)answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (answering.IsCompletedSuccessfully)
        {
            (await answering.ConfigureAwait(false)).Dispose();
        }
        else if (answering.Exception?.InnerException is { } exception)
        {
            // The stream has ended with another failure: the log alone tells of this one.
            _ = boundary.Translate(call, exception);
        }
    }

    private async Task<PayloadBuffer> AnswerAsync(ServerCallContext call, PayloadBuffer message, CancellationToken cancellation)
    {
        var caller = Caller.Of(call.GetHttpContext());
        if (caller.Enter() is { } refusal)
        {
            using (message)
            {
                return Failed(refusal, IdOf(message));
            }
        }

        try
        {
            return await RunAsync(call, message, cancellation).ConfigureAwait(false);
        }
        finally
        {
            caller.Leave();
        }
    }

    /// <summary>The request's id; empty for a message that is no request.</summary>
    private static string IdOf(PayloadBuffer message)
    {
        try
        {
            return Encoding.UTF8.GetString(InferRequestHeader.Scan(message.Span).Id.Of(message.Span));
        }
        catch (ServingException)
        {
            return "";
        }
    }

    private async Task<PayloadBuffer> RunAsync(ServerCallContext call, PayloadBuffer message, CancellationToken cancellation)
    {
        InferCall request;
        var id = "";
        TimeSpan? timeout;
        try
        {
            var header = InferRequestHeader.Scan(message.Span);
            id = Encoding.UTF8.GetString(header.Id.Of(message.Span));
            timeout = header.Timeout;
            request = InferenceService.Read(api, boundary, call, message, header) with { Method = ServingMethod.ModelInferStream };
        }
        catch (ServingException exception)
        {
            message.Dispose();
            return Failed(exception.Failure, id);
        }
        catch
        {
            message.Dispose();
            throw;
        }

        var reply = await TimeLimit.InferAsync(api, request, TimeLimit.OfParameter(timeout), time, late, cancellation).ConfigureAwait(false);
        return reply.Succeeded ? Succeeded(reply.Message) : Failed(reply.Failure, id);
    }

    /// <summary>A <c>ModelStreamInferResponse</c> around the finished answer.</summary>
    private static PayloadBuffer Succeeded(PayloadBuffer reply)
    {
        using (reply)
        {
            const int InferResponse = ModelStreamInferResponse.InferResponseFieldNumber;
            var length = reply.Length + FinalResponse.Length;
            var buffer = PayloadBuffer.Rent(ProtoWriter.FieldSize(InferResponse, length));
            var writer = new ProtoWriter(buffer.Span);
            writer.WriteLength(InferResponse, length);
            reply.Span.CopyTo(buffer.Span[writer.Position..]);
            FinalResponse.CopyTo(buffer.Span[(writer.Position + reply.Length)..]);
            return buffer;
        }
    }

    private static PayloadBuffer Failed(Failure failure, string id) => PayloadBuffer.CopyOf(new ModelStreamInferResponse
    {
        ErrorMessage = failure.Message,
        InferResponse = Final(id),
    }.ToByteArray());

    private static ModelInferResponse Final(string id) => new() { Id = id, Parameters = { [FinalParameter] = new InferParameter { BoolParam = true } } };
}
