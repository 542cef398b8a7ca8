using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Rest.Json;

namespace Cluster.Gateway.Rest.Infer;

/// <summary>
/// A body without any JSON: the bytes of the model's one input, for clients as plain as <c>curl</c>. Its shape is the model's, with the one
/// open dimension taken from the body's length. Of several open ones the first is the batch, of 1. A BYTES input is the body as one element.
/// </summary>
internal static class RawInferReader
{
    public static async ValueTask<JsonInferRequest> ReadAsync(
        ModelMetadataResponse model, BodyReader body, InferRequestBuilder builder, CancellationToken cancellationToken)
    {
        if (model.Inputs.Count != 1)
        {
            throw ServingException.InvalidArgument(
                $"a request without JSON needs a model with one input; model '{model.Name}' has {model.Inputs.Count}");
        }

        var input = model.Inputs[0];
        var name = Encoding.UTF8.GetBytes(input.Name);
        var datatype = Datatypes.Parse(Encoding.UTF8.GetBytes(input.Datatype));
        using var content = await body.ReadUpToAsync(long.MaxValue, cancellationToken);
        var shape = datatype == Datatype.Bytes
            ? ShapeOfOne(model.Name, input)
            : ShapeOf(model.Name, input, content.Length, datatype.ElementSize());
        builder.AddInput(name, datatype, shape);
        builder.BeginRaw();
        if (datatype == Datatype.Bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(builder.GetSpan(sizeof(int)), content.Length);
            builder.Advance(sizeof(int));
        }

        content.Span.CopyTo(builder.GetSpan(content.Length));
        builder.Advance(content.Length);
        builder.EndRaw();
        return new JsonInferRequest { BinaryByDefault = true };
    }

    private static long[] ShapeOfOne(string model, ModelMetadataResponse.Types.TensorMetadata input)
    {
        var shape = input.Shape.Select(dimension => dimension < 0 ? 1 : dimension).ToArray();
        return JsonShape.Product(shape) == 1 ? shape : throw Unfit(model, input, "is not of one element");
    }

    private static long[] ShapeOf(string model, ModelMetadataResponse.Types.TensorMetadata input, int length, int elementSize)
    {
        var shape = input.Shape.ToArray();
        if (shape.Count(dimension => dimension < 0) > 1 && shape[0] < 0)
        {
            shape[0] = 1;
        }

        var open = Array.FindIndex(shape, dimension => dimension < 0);
        if (open < 0)
        {
            return shape;
        }

        if (Array.FindIndex(shape, open + 1, dimension => dimension < 0) >= 0)
        {
            throw Unfit(model, input, "has several dimensions that the request chooses");
        }

        shape[open] = 1;
        var slice = JsonShape.Product(shape) * elementSize ?? 0;
        if (slice <= 0 || length % slice != 0)
        {
            throw Unfit(model, input, string.Create(CultureInfo.InvariantCulture, $"takes a multiple of {slice} bytes and the body has {length}"));
        }

        shape[open] = length / slice;
        return shape;
    }

    private static ServingException Unfit(string model, ModelMetadataResponse.Types.TensorMetadata input, string why) =>
        ServingException.InvalidArgument($"a request without JSON cannot be read: input '{input.Name}' of model '{model}' {why}");
}
