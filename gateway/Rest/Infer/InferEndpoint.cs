using System.Globalization;
using System.Text;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Cluster.Gateway.Rest.Infer;

/// <summary>POST …/infer.</summary>
internal sealed class InferEndpoint(IServingApi api, IOptions<RestOptions> options, PayloadRoom room, TimeProvider time, LateFailures late)
{
    private const int MinCapacity = 4 << 10;

    /// <summary>Memory taken on a client's word alone; more comes as its bytes do.</summary>
    private const int MaxCapacity = 4 << 20;

    /// <summary>Room for the message's own fields beside its tensors, below what one array can hold.</summary>
    private const int MessageOverhead = 32 << 10;

    private readonly long _maxRequestBytes = options.Value.MaxRequestBytes;
    private readonly bool _bareFloats = options.Value.BareFloats;

    public async Task HandleAsync(HttpContext context)
    {
        var start = time.GetTimestamp();
        var route = ModelPath.Of(context, api);
        var (message, request, limit) = await ReadAsync(context, route, start);
        var call = new InferCall(route.Model, route.Version, message, Protocol.Rest, Timeout: null)
        {
            Alias = route.Alias,
            Ticket = route.Ticket,
            Caller = Caller.Of(context),
        };
        var reply = await TimeLimit.InferAsync(api, call, limit, time, late, context.RequestAborted);
        if (!reply.Succeeded)
        {
            throw new ServingException(reply.Failure);
        }

        using var answer = reply.Message;
        await InferResponseWriter.WriteAsync(context, answer.Memory, request);
    }

    private async ValueTask<(PayloadBuffer Message, JsonInferRequest Request, TimeLimit? Limit)> ReadAsync(HttpContext context, ModelPath route, long start)
    {
        try
        {
            var timeout = InferHeaders.ReadTimeout(context.Request);
            await using var body = BodyReader.Open(context, _maxRequestBytes, room);
            var capacity = (int)Math.Clamp(body.Remaining ?? 0, MinCapacity, MaxCapacity) + MinCapacity;
            using var builder = new InferRequestBuilder(capacity, (int)(_maxRequestBytes + MessageOverhead), room);
            builder.AddModelName(Encoding.UTF8.GetBytes(route.Model));
            builder.AddModelVersion(Encoding.UTF8.GetBytes(route.Version));
            var request = await ReadBodyAsync(context, route, body, builder);
            var message = builder.Build();
            try
            {
                var header = InferRequestHeader.Scan(message.Span);
                return header.Refusal is { } refusal
                    ? throw new ServingException(refusal)
                    : (message, request, TimeLimit.Least(Left(timeout, start), TimeLimit.OfParameter(header.Timeout)));
            }
            catch
            {
                message.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is ServingException or BadHttpRequestException)
        {
            api.CountUnreadable(route.Model, route.Version, Protocol.Rest);
            throw;
        }
    }

    /// <summary>What reading the request has left of the header's time.</summary>
    private TimeLimit? Left(TimeSpan? timeout, long start)
    {
        if (timeout is not { } total)
        {
            return null;
        }

        var left = total - time.GetElapsedTime(start);
        return new TimeLimit(left > TimeSpan.Zero ? left : TimeSpan.Zero, FormattableString.Invariant($"{total.TotalMilliseconds:F0} ms of {InferHeaders.Timeout}"));
    }

    private async ValueTask<JsonInferRequest> ReadBodyAsync(HttpContext context, ModelPath route, BodyReader body, InferRequestBuilder builder)
    {
        var reader = new InferBodyReader(body, builder, _bareFloats, context.RequestAborted);
        switch (InferHeaders.ReadJsonLength(context.Request, body.Remaining))
        {
            case null:
                return await reader.ReadJsonAsync();
            case 0:
                var model = await api.GetModelMetadataAsync(route.Model, route.AboutVersion, Protocol.Rest, context.RequestAborted);
                return await RawInferReader.ReadAsync(model, body, builder, context.RequestAborted);
            case { } length:
                return await reader.ReadBinaryAsync(length);
        }
    }
}

/// <summary>The headers of inference requests and answers that are not HTTP's own.</summary>
internal static class InferHeaders
{
    /// <summary>Bytes of JSON in front of the binary tensors, counted before compression.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";

    /// <summary>Milliseconds that the client will wait.</summary>
    public const string Timeout = "X-Request-Timeout";

    /// <summary>The announced length of the JSON; null if the whole body is JSON.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: not a number, or more than <paramref name="bodyLength"/>.</exception>
    public static long? ReadJsonLength(HttpRequest request, long? bodyLength)
    {
        if (!request.Headers.TryGetValue(JsonLength, out var values))
        {
            return null;
        }

        if (!long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
        {
            throw ServingException.InvalidArgument($"header {JsonLength} is '{values}'; it must be the number of bytes of JSON in the body");
        }

        return length <= (bodyLength ?? long.MaxValue) ? length : throw TooLong(length, bodyLength ?? 0);
    }

    public static ServingException TooLong(long length, long bodyLength) =>
        ServingException.InvalidArgument($"header {JsonLength} is {length}, but the body has only {bodyLength} bytes");

    /// <exception cref="ServingException">INVALID_ARGUMENT: not a positive number.</exception>
    public static TimeSpan? ReadTimeout(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(Timeout, out var values))
        {
            return null;
        }

        return int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds > 0
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw ServingException.InvalidArgument($"header {Timeout} is '{values}'; it must be milliseconds, 1 to {int.MaxValue}");
    }
}
