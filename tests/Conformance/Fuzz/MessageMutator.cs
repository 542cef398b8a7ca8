using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Conformance.Fuzz;

/// <summary>Makes well-formed messages that ask for the impossible.</summary>
internal static class MessageMutator
{
    private static readonly string[] Versions = ["1", "0", "2", "-1", "+1", "01", "1.0", " 1", "latest", "9223372036854775807", "9223372036854775808", "١", new('9', 500)];

    private static readonly string[] Names = ["", "INPUT0", "INPUT1", "OUTPUT0", "X", "Y", "scale", "image", "as_string", "input0", "INPUT0\0", new('n', 300)];

    private static readonly string[] Datatypes =
        ["", "BOOL", "UINT8", "UINT64", "INT8", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES", "STRING", "fp32", "FP128", "TYPE_FP32"];

    private static readonly string[] Parameters =
        ["classification", "binary_data", "binary_data_size", "sequence_id", "sequence_start", "priority", "timeout", "binary_data_output", "triton_x", "", "my own"];

    /// <summary>Changes <paramref name="message"/> in one to four ways.</summary>
    public static void Mutate(Random random, ModelInferRequest message)
    {
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            MutateOnce(random, message);
        }
    }

    private static void MutateOnce(Random random, ModelInferRequest message)
    {
        switch (random.Next(13))
        {
            case 12:
                Empty(random, message);
                break;
            case 0:
                message.ModelVersion = random.Pick(Versions);
                break;
            case 1:
                message.ModelName = random.OneIn(2) ? random.Pick(ModelShape.All).Name : random.Pick(Names);
                break;
            case 2:
                message.Id = new string('i', random.Length());
                break;
            case 3:
                message.Parameters[random.Pick(Parameters)] = Parameter(random);
                break;
            case 4 or 5:
                MutateOutputs(random, message);
                break;
            case 6:
                MutateRaw(random, message);
                break;
            default:
                MutateInputs(random, message);
                break;
        }
    }

    /// <summary>Tensors without an element, with any other dimensions.</summary>
    private static void Empty(Random random, ModelInferRequest message)
    {
        foreach (var input in message.Inputs)
        {
            var rank = input.Shape.Count;
            input.Shape.Clear();
            input.Shape.AddRange(random.EmptyShape(rank));
            input.Contents = null;
        }

        var count = message.RawInputContents.Count;
        message.RawInputContents.Clear();
        message.RawInputContents.AddRange(Enumerable.Repeat(ByteString.Empty, count));
        MutateOutputs(random, message);
    }

    private static void MutateInputs(Random random, ModelInferRequest message)
    {
        if (message.Inputs.Count == 0 || random.OneIn(12))
        {
            message.Inputs.Add(new ModelInferRequest.Types.InferInputTensor { Name = random.Pick(Names), Datatype = random.Pick(Datatypes) });
            return;
        }

        var input = random.Pick(message.Inputs);
        switch (random.Next(9))
        {
            case 0:
                message.Inputs.Remove(input);
                break;
            case 1:
                message.Inputs.Add(input.Clone());
                break;
            case 2:
                input.Name = random.Pick(Names);
                break;
            case 3:
                input.Datatype = random.Pick(Datatypes);
                break;
            case 4:
                input.Parameters[random.Pick(Parameters)] = Parameter(random);
                break;
            case 5:
                MutateContents(random, input);
                break;
            default:
                MutateShape(random, input);
                break;
        }
    }

    private static void MutateShape(Random random, ModelInferRequest.Types.InferInputTensor input)
    {
        var shape = input.Shape;
        switch (random.Next(7))
        {
            case 0:
                shape.Clear();
                break;
            case 1:
                shape.AddRange(Enumerable.Range(0, random.OneIn(5) ? 1000 : random.Next(1, 12)).Select(_ => (long)random.Next(3)));
                break;
            case 2 when shape.Count > 1:
                shape.RemoveAt(random.Next(shape.Count));
                break;
            case 3 when shape.Count > 0:
                shape[random.Next(shape.Count)] = 0;
                break;
            case 4 when shape.Count > 0:
                Fill(shape, () => random.OneIn(2) ? 0 : random.Extreme());
                break;
            default:
                if (shape.Count == 0)
                {
                    shape.Add(random.Extreme());
                }

                shape[random.Next(shape.Count)] = random.Extreme();
                break;
        }
    }

    private static void Fill(Google.Protobuf.Collections.RepeatedField<long> shape, Func<long> dimension)
    {
        for (var i = 0; i < shape.Count; i++)
        {
            shape[i] = dimension();
        }
    }

    private static void MutateContents(Random random, ModelInferRequest.Types.InferInputTensor input)
    {
        input.Contents ??= new InferTensorContents();
        var count = random.Next(20);
        switch (random.Next(8))
        {
            case 0:
                input.Contents.IntContents.Add(Enumerable.Range(0, count).Select(_ => (int)random.Extreme()));
                break;
            case 1:
                input.Contents.UintContents.Add(Enumerable.Range(0, count).Select(_ => (uint)random.Extreme()));
                break;
            case 2:
                input.Contents.Fp32Contents.Add(Enumerable.Range(0, count).Select(_ => BitConverter.Int32BitsToSingle(random.Next())));
                break;
            case 3:
                input.Contents.Fp64Contents.Add(Enumerable.Range(0, count).Select(_ => BitConverter.Int64BitsToDouble(random.NextInt64())));
                break;
            case 4:
                input.Contents.BoolContents.Add(Enumerable.Repeat(true, count));
                break;
            case 5:
                input.Contents.BytesContents.Add(Enumerable.Range(0, count).Select(_ => ByteString.CopyFrom(random.Bytes(random.Length()))));
                break;
            case 6:
                input.Contents = null;
                break;
            default:
                input.Contents = new InferTensorContents();
                break;
        }
    }

    private static void MutateRaw(Random random, ModelInferRequest message)
    {
        var raw = message.RawInputContents;
        if (raw.Count == 0 || random.OneIn(3))
        {
            raw.Add(ByteString.CopyFrom(random.Bytes(random.Length())));
            return;
        }

        var at = random.Next(raw.Count);
        if (random.OneIn(3))
        {
            raw.RemoveAt(at);
        }
        else
        {
            raw[at] = ByteString.CopyFrom(ByteMutator.Mutate(random, raw[at].ToByteArray(), []));
        }
    }

    private static void MutateOutputs(Random random, ModelInferRequest message)
    {
        var known = ModelShape.All.FirstOrDefault(model => model.Name == message.ModelName)?.Outputs;
        var output = new ModelInferRequest.Types.InferRequestedOutputTensor
        {
            Name = known is null || random.OneIn(4) ? random.Pick(Names) : random.Pick(known),
        };
        if (random.OneIn(2))
        {
            output.Parameters[random.OneIn(4) ? random.Pick(Parameters) : "classification"] = Parameter(random);
        }

        message.Outputs.Add(output);
    }

    private static InferParameter Parameter(Random random) => random.Next(7) switch
    {
        0 => new InferParameter { BoolParam = random.OneIn(2) },
        1 => new InferParameter { StringParam = random.Pick(Names) },
        2 => new InferParameter { DoubleParam = BitConverter.Int64BitsToDouble(random.NextInt64()) },
        3 => new InferParameter { Uint64Param = (ulong)random.Extreme() },
        4 => new InferParameter(),
        5 => new InferParameter { Int64Param = random.Next(1, 12) },
        _ => new InferParameter { Int64Param = random.Extreme() },
    };
}
