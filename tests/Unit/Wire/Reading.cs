using System.Text;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Google.Protobuf;

namespace Cluster.Unit.Wire;

/// <summary>Turns what our parsers found back into the generated messages, so that the two can be compared.</summary>
internal static class Reading
{
    public static ModelInferRequest Request(byte[] bytes)
    {
        var parsed = new InferRequestMessage();
        parsed.Parse(bytes);
        var request = new ModelInferRequest
        {
            ModelName = Text(bytes, parsed.ModelName),
            ModelVersion = Text(bytes, parsed.ModelVersion),
            Id = Text(bytes, parsed.Id),
        };
        foreach (var parameter in parsed.Parameters)
        {
            request.Parameters[Text(bytes, parameter.Key)] = Parameter(bytes, parameter);
        }

        foreach (var input in parsed.Inputs)
        {
            request.Inputs.Add(new ModelInferRequest.Types.InferInputTensor
            {
                Name = Text(bytes, input.Name),
                Datatype = Text(bytes, input.Datatype),
                Shape = { parsed.Shape(input).ToArray() },
                Contents = input.HasContents ? InferTensorContents.Parser.ParseFrom(input.Contents.Of(bytes)) : null,
            });
        }

        request.Outputs.Add(parsed.Outputs.Select(output => RequestedOutput(Text(bytes, output.Name), output.Classification)));
        request.RawInputContents.Add(parsed.RawContents.Select(raw => ByteString.CopyFrom(raw.Of(bytes))));
        return request;
    }

    public static ModelInferResponse Response(byte[] bytes)
    {
        var parsed = new InferResponseMessage();
        parsed.Parse(bytes);
        var response = new ModelInferResponse
        {
            ModelName = Text(bytes, parsed.ModelName),
            ModelVersion = Text(bytes, parsed.ModelVersion),
            Id = Text(bytes, parsed.Id),
        };
        foreach (var output in parsed.Outputs)
        {
            response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor
            {
                Name = Text(bytes, output.Name),
                Datatype = Text(bytes, output.Datatype),
                Shape = { parsed.Shape(output).ToArray() },
            });
        }

        response.RawOutputContents.Add(parsed.RawContents.Select(raw => ByteString.CopyFrom(raw.Of(bytes))));
        return response;
    }

    /// <summary>What of <paramref name="request"/> our parser looks at: of parameters below the top only classification.</summary>
    public static ModelInferRequest Seen(ModelInferRequest request)
    {
        var seen = request.Clone();
        foreach (var input in seen.Inputs)
        {
            input.Parameters.Clear();
        }

        var outputs = seen.Outputs
            .Select(output => RequestedOutput(output.Name, output.Parameters.TryGetValue("classification", out var classes) ? classes.Int64Param : 0))
            .ToList();
        seen.Outputs.Clear();
        seen.Outputs.Add(outputs);
        return seen;
    }

    private static ModelInferRequest.Types.InferRequestedOutputTensor RequestedOutput(string name, long classification)
    {
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor { Name = name };
        if (classification > 0)
        {
            output.Parameters["classification"] = new InferParameter { Int64Param = classification };
        }

        return output;
    }

    private static InferParameter Parameter(byte[] bytes, InferParameterValue value) => value.Kind switch
    {
        InferParameterKind.Bool => new InferParameter { BoolParam = value.Bits != 0 },
        InferParameterKind.Int64 => new InferParameter { Int64Param = value.Bits },
        InferParameterKind.UInt64 => new InferParameter { Uint64Param = (ulong)value.Bits },
        InferParameterKind.Double => new InferParameter { DoubleParam = BitConverter.Int64BitsToDouble(value.Bits) },
        InferParameterKind.Text => new InferParameter { StringParam = Text(bytes, value.Text) },
        _ => new InferParameter(),
    };

    private static string Text(byte[] bytes, Slice slice) => Encoding.UTF8.GetString(slice.Of(bytes));
}
