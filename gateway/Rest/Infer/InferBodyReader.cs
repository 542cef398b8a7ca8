using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;

namespace Cluster.Gateway.Rest.Infer;

/// <summary>Turns the body of an inference request, JSON with or without binary tensors, into a message.</summary>
/// <param name="bareFloats">Whether NaN and infinities may stand bare in the JSON.</param>
internal sealed class InferBodyReader(BodyReader body, InferRequestBuilder builder, bool bareFloats, CancellationToken cancellationToken)
{
    private const int ReadSize = 64 << 10;

    /// <summary>Room to ask for where the end may be near: less than the message may exceed its tensors by.</summary>
    private const int RestReadSize = 4 << 10;

    /// <summary>A body that is JSON from its first byte to its last.</summary>
    public async ValueTask<JsonInferRequest> ReadJsonAsync()
    {
        using var json = Quoted(await body.ReadUpToAsync(long.MaxValue, cancellationToken));
        var request = JsonInferRequestReader.Read(json.Span, builder);
        request.BareFloats = bareFloats;
        foreach (var input in request.Inputs)
        {
            if (input.DataStart is null)
            {
                throw ServingException.InvalidArgument(
                    $"{input.Title} has no data; for binary data the request needs the header {InferHeaders.JsonLength}");
            }

            WriteData(json, input);
        }

        return request;
    }

    /// <summary>A body of <paramref name="jsonLength"/> bytes of JSON and the bytes of those inputs that have no <c>data</c>, in their order.</summary>
    public async ValueTask<JsonInferRequest> ReadBinaryAsync(long jsonLength)
    {
        using var json = await ReadHeadAsync(jsonLength);
        var request = JsonInferRequestReader.Read(json.Span, builder);
        request.BareFloats = bareFloats;
        foreach (var input in request.Inputs)
        {
            if (input.DataStart is null)
            {
                await ReadTensorAsync(input, SizeOf(input, request));
            }
            else
            {
                WriteData(json, input);
            }
        }

        return await body.IsAtEndAsync(cancellationToken)
            ? request
            : throw ServingException.InvalidArgument("the body goes on after its last binary input; do the binary_data_size of its inputs fit?");
    }

    /// <summary>Reads the rest of the body into the message as a tensor's bytes.</summary>
    /// <returns>How many there were.</returns>
    public async ValueTask<int> ReadRestAsync()
    {
        builder.BeginRaw();
        while (true)
        {
            var count = await body.ReadAsync(builder.GetMemory(RestReadSize), cancellationToken);
            if (count == 0)
            {
                return builder.EndRaw();
            }

            builder.Advance(count);
        }
    }

    private async ValueTask<PayloadBuffer> ReadHeadAsync(long length)
    {
        var json = await body.ReadUpToAsync(length, cancellationToken);
        if (json.Length < length)
        {
            var found = json.Length;
            json.Dispose();
            throw InferHeaders.TooLong(length, found);
        }

        return Quoted(json);
    }

    private PayloadBuffer Quoted(PayloadBuffer json) => bareFloats ? BareFloats.Quote(json, body.Room) : json;

    private void WriteData(PayloadBuffer json, JsonInput input)
    {
        if (input.DataElements is null)
        {
            JsonInferRequestReader.WriteWaiting(json.Span, input, builder);
        }
    }

    /// <summary>Bytes of a binary input; null for the rest of the body.</summary>
    private static long? SizeOf(JsonInput input, JsonInferRequest request)
    {
        if (input.BinarySize is { } size)
        {
            return size;
        }

        if (input.Datatype == Datatype.Bytes)
        {
            return request.Inputs.Count == 1
                ? null
                : throw ServingException.InvalidArgument($"{input.Title}: a BYTES input among others needs data or binary_data_size");
        }

        return input.Elements <= long.MaxValue / input.Datatype.ElementSize() ? input.Elements * input.Datatype.ElementSize() : long.MaxValue;
    }

    private async ValueTask ReadTensorAsync(JsonInput input, long? size)
    {
        if (size is not { } left)
        {
            await ReadRestAsync();
            return;
        }

        if (body.Remaining is { } remaining && remaining < left)
        {
            throw TooShort(input, left, remaining);
        }

        builder.BeginRaw();
        while (left > 0)
        {
            var room = builder.GetMemory((int)Math.Min(left, ReadSize));
            var count = await body.ReadAsync(room[..(int)Math.Min(left, room.Length)], cancellationToken);
            if (count == 0)
            {
                throw TooShort(input, size.Value, size.Value - left);
            }

            builder.Advance(count);
            left -= count;
        }

        builder.EndRaw();
    }

    private static ServingException TooShort(JsonInput input, long wanted, long found) =>
        ServingException.InvalidArgument($"{input.Title} needs {wanted} bytes of binary data, but the body has {found} left for it");
}
