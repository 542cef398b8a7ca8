using System.Runtime.InteropServices;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Bench.Load;

/// <summary>One request: a model with one FP32 input and one FP32 output.</summary>
/// <param name="Shape">Of the input, outermost first; its product is <paramref name="Input"/>'s length.</param>
/// <param name="Expected">The output's elements.</param>
/// <param name="Tolerance">How far an element may be off, relative to the larger of 1 and the expected one; 0: not a bit.</param>
internal sealed record Workload(
    string Model, string InputName, long[] Shape, float[] Input, string OutputName, float[] Expected, float Tolerance = 0)
{
    /// <summary>For the model <c>identity</c> of <c>models/</c>.</summary>
    /// <param name="count">Elements each way.</param>
    public static Workload Identity(int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
        {
            values[i] = (float)i / count;
        }

        return new Workload("identity", "INPUT0", [1, count], values, "OUTPUT0", values);
    }

    /// <summary>The request as a gRPC message with raw contents.</summary>
    public byte[] ToMessage() => new ModelInferRequest
    {
        ModelName = Model,
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = InputName, Datatype = "FP32", Shape = { Shape } } },
        RawInputContents = { UnsafeByteOperations.UnsafeWrap(MemoryMarshal.AsBytes<float>(Input).ToArray()) },
    }.ToByteArray();

    /// <summary>Compares the output of a <c>ModelInferResponse</c>.</summary>
    /// <exception cref="InvalidDataException">It is not the expected one.</exception>
    public void CheckMessage(byte[] message)
    {
        var answer = ModelInferResponse.Parser.ParseFrom(message);
        Check(answer.RawOutputContents.Count == 1
            ? answer.RawOutputContents[0].Span
            : throw new InvalidDataException($"model '{Model}' answered {answer.RawOutputContents.Count} raw outputs, not 1"));
    }

    /// <summary>Compares an output's little-endian bytes.</summary>
    /// <exception cref="InvalidDataException">It is not the expected one.</exception>
    public void Check(ReadOnlySpan<byte> output)
    {
        var expected = MemoryMarshal.AsBytes<float>(Expected);
        if (output.SequenceEqual(expected))
        {
            return;
        }

        if (output.Length != expected.Length)
        {
            throw new InvalidDataException($"model '{Model}' answered {output.Length} bytes, not the {expected.Length} expected");
        }

        for (var i = 0; i < Expected.Length; i++)
        {
            var value = MemoryMarshal.Read<float>(output[(i * sizeof(float))..]);
            var exact = BitConverter.SingleToInt32Bits(value) == BitConverter.SingleToInt32Bits(Expected[i]);
            if (!exact && !(Math.Abs(value - Expected[i]) <= Tolerance * Math.Max(1, Math.Abs(Expected[i]))))
            {
                throw new InvalidDataException($"model '{Model}' answered {value:R} as element {i}, not {Expected[i]:R}");
            }
        }
    }
}
