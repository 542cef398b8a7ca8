using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
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

    /// <summary>Room for the message's own fields beside its tensors, below what one array can hold.</summary>
    private const int MessageOverhead = 32 << 10;

    private readonly long _maxRequestBytes = options.Value.MaxRequestBytes;

    public async Task HandleAsync(HttpContext context)
    {
        var start = time.GetTimestamp();
        var route = ModelRoute.Of(context, api);
        var (message, request, timeout) = await ReadAsync(context, route);
        var left = timeout is { } total ? Max(total - time.GetElapsedTime(start), TimeSpan.Zero) : (TimeSpan?)null;
        using var deadline = left is { } span ? new CancellationTokenSource(span, time) : null;
        using var either = deadline is null ? null : CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, deadline.Token);

        // The API owns the message from here, whatever happens.
        var call = new InferCall(route.Model, route.Version, message, Protocol.Rest, left) { Alias = route.Alias };
        var reply = await api.InferAsync(call, either?.Token ?? context.RequestAborted);
        if (!reply.Succeeded)
        {
            var late = deadline is { IsCancellationRequested: true } && reply.Failure.Code == StatusCode.Cancelled;
            throw new ServingException(late ? TooLate(route, timeout) : reply.Failure);
        }

        using var answer = reply.Message;
        await InferResponseWriter.WriteAsync(context, answer.Memory, request);
    }

    private static Failure TooLate(ModelRoute route, TimeSpan? timeout) =>
        Failure.DeadlineExceeded($"model '{route.Model}' did not answer within the {timeout?.TotalMilliseconds:F0} ms of {InferHeaders.Timeout}");

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;

    private async ValueTask<(PayloadBuffer Message, JsonInferRequest Request, TimeSpan? Timeout)> ReadAsync(HttpContext context, ModelRoute route)
    {
        try
        {
            var timeout = InferHeaders.ReadTimeout(context.Request);
            await using var body = BodyReader.Open(context, _maxRequestBytes);
            var capacity = (int)Math.Clamp(body.Remaining ?? 0, MinCapacity, MaxCapacity) + MinCapacity;
            using var builder = new InferRequestBuilder(capacity, (int)(_maxRequestBytes + MessageOverhead));
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
