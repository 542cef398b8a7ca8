using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest;

/// <summary>POST …/infer.</summary>
internal sealed class InferEndpoint(IServingApi api, IOptions<RestOptions> options, TimeProvider time)
{
    private const int MinCapacity = 4 << 10;

    /// <summary>Memory taken on a client's word alone; more comes as its bytes do.</summary>
    private const int MaxCapacity = 4 << 20;

    private readonly long _maxRequestBytes = options.Value.MaxRequestBytes;

    public async Task HandleAsync(HttpContext context)
    {
        var route = ModelRoute.Of(context);
        var (message, request, timeout) = await ReadAsync(context, route);

        // The API owns the message from here, whatever happens.
        var call = new InferCall(route.Model, route.Version, message, Protocol.Rest, timeout);
        var reply = timeout is { } limit
            ? await InferWithinAsync(call, limit, context.RequestAborted)
            : await api.InferAsync(call, context.RequestAborted);
        if (!reply.Succeeded)
        {
            throw new ServingException(reply.Failure);
        }

        using var answer = reply.Message;
        await InferResponseWriter.WriteAsync(context, answer.Memory, request);
    }

    /// <summary>HTTP knows no deadlines, so nobody else ends a request whose time is up while it waits or runs.</summary>
    private async ValueTask<InferReply> InferWithinAsync(InferCall call, TimeSpan limit, CancellationToken aborted)
    {
        using var deadline = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, aborted);
        var reply = await api.InferAsync(call, either.Token);
        return !reply.Succeeded && reply.Failure.Code == StatusCode.Cancelled && deadline.IsCancellationRequested && !aborted.IsCancellationRequested
            ? InferReply.Failed(Failure.DeadlineExceeded(
                $"the deadline of {limit.TotalMilliseconds:F0} ms passed before model '{call.Model}' had answered"))
            : reply;
    }

    private async ValueTask<(PayloadBuffer Message, JsonInferRequest Request, TimeSpan? Timeout)> ReadAsync(HttpContext context, ModelRoute route)
    {
        try
        {
            var timeout = InferHeaders.ReadTimeout(context.Request);
            await using var body = BodyReader.Open(context, _maxRequestBytes);
            var capacity = (int)Math.Clamp(body.Remaining ?? 0, MinCapacity, MaxCapacity) + MinCapacity;
            using var builder = new InferRequestBuilder(capacity, (int)(_maxRequestBytes + RestOptionsValidator.MessageOverhead));
            builder.AddModelName(Encoding.UTF8.GetBytes(route.Model));
            builder.AddModelVersion(Encoding.UTF8.GetBytes(route.Version));
            var request = await ReadBodyAsync(context, route, body, builder);
            return (builder.Build(), request, timeout);
        }
        catch (Exception e) when (e is ServingException or BadHttpRequestException)
        {
            api.CountUnreadable(route.Model, route.Version, Protocol.Rest);
            throw;
        }
    }

    private async ValueTask<JsonInferRequest> ReadBodyAsync(HttpContext context, ModelRoute route, BodyReader body, InferRequestBuilder builder)
    {
        var reader = new InferBodyReader(body, builder, context.RequestAborted);
        switch (InferHeaders.ReadJsonLength(context.Request, body.Remaining))
        {
            case null:
                return await reader.ReadJsonAsync();
            case 0:
                var model = await api.GetModelMetadataAsync(route.Model, route.Version, Protocol.Rest, context.RequestAborted);
                return await RawInferReader.ReadAsync(model, body, builder, context.RequestAborted);
            case { } length:
                return await reader.ReadBinaryAsync(length);
        }
    }
}
