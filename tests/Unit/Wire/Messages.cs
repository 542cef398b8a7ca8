using Cluster.Contracts.Protocol;
using FsCheck;
using FsCheck.Fluent;
using Google.Protobuf;

namespace Cluster.Unit.Wire;

/// <summary>Random messages, with every part of the format somewhere in them.</summary>
internal static class Messages
{
    private static readonly Gen<string> Texts = Gen.Elements("", "m", "INPUT0", "größe", "日本", "a/b c", new string('x', 200));

    private static readonly Gen<long> Integers =
        Gen.Elements(0L, 1, -1, 2, 127, 128, 300, int.MaxValue, (long)int.MaxValue + 1, long.MaxValue, long.MinValue);

    private static readonly Gen<byte[]> Blobs =
        from length in Gen.Frequency((3, Gen.Choose(0, 20)), (1, Gen.Choose(100, 300)))
        from first in Gen.Choose(0, 255)
        select Enumerable.Range(0, length).Select(i => (byte)(first + i)).ToArray();

    private static readonly Gen<InferParameter> Parameters = Gen.OneOf(
        Gen.Constant(new InferParameter()),
        Gen.Elements(true, false).Select(value => new InferParameter { BoolParam = value }),
        Integers.Select(value => new InferParameter { Int64Param = value }),
        Integers.Select(value => new InferParameter { Uint64Param = (ulong)value }),
        Texts.Select(value => new InferParameter { StringParam = value }),
        Gen.Elements(0, 1.5, -2e300, double.NaN, double.PositiveInfinity).Select(value => new InferParameter { DoubleParam = value }));

    private static readonly Gen<KeyValuePair<string, InferParameter>[]> ParameterMaps =
        from count in Gen.Choose(0, 3)
        from values in Parameters.ArrayOf(count)
        from prefix in Texts
        select values.Select((value, i) => KeyValuePair.Create($"{prefix}{i}", value)).ToArray();

    private static readonly Gen<InferTensorContents?> Contents = Gen.Frequency(
        (3, Gen.Constant<InferTensorContents?>(null)),
        (1, Gen.Constant<InferTensorContents?>(new InferTensorContents())),
        (1, Integers.ArrayOf().Select(values => (InferTensorContents?)new InferTensorContents { Int64Contents = { values } })),
        (1, Blobs.ArrayOf(2).Select(values =>
            (InferTensorContents?)new InferTensorContents { BytesContents = { values.Select(value => ByteString.CopyFrom(value)) } })));

    private static readonly Gen<ModelInferRequest.Types.InferInputTensor> Inputs =
        from name in Texts
        from datatype in Gen.Elements("FP32", "BYTES", "INT8", "", "nonsense")
        from rank in Gen.Choose(0, 4)
        from shape in Integers.ArrayOf(rank)
        from parameters in ParameterMaps
        from contents in Contents
        select new ModelInferRequest.Types.InferInputTensor
        {
            Name = name,
            Datatype = datatype,
            Shape = { shape },
            Parameters = { parameters.ToDictionary() },
            Contents = contents,
        };

    private static readonly Gen<ModelInferRequest.Types.InferRequestedOutputTensor> Outputs =
        from name in Texts
        from classes in Gen.Choose(0, 5)
        select new ModelInferRequest.Types.InferRequestedOutputTensor
        {
            Name = name,
            Parameters =
            {
                classes == 0
                    ? new Dictionary<string, InferParameter> { ["binary_data"] = new() { BoolParam = true } }
                    : new Dictionary<string, InferParameter> { ["classification"] = new() { Int64Param = classes } },
            },
        };

    public static Gen<ModelInferRequest> Requests { get; } =
        from model in Texts
        from version in Gen.Elements("", "1", "18446744073709551615")
        from id in Texts
        from parameters in ParameterMaps
        from inputCount in Gen.Choose(0, 3)
        from inputs in Inputs.ArrayOf(inputCount)
        from outputCount in Gen.Choose(0, 3)
        from outputs in Outputs.ArrayOf(outputCount)
        from rawCount in Gen.Choose(0, 3)
        from raw in Blobs.ArrayOf(rawCount)
        select new ModelInferRequest
        {
            ModelName = model,
            ModelVersion = version,
            Id = id,
            Parameters = { parameters.ToDictionary() },
            Inputs = { inputs },
            Outputs = { outputs },
            RawInputContents = { raw.Select(value => ByteString.CopyFrom(value)) },
        };

    /// <summary>Runs a property, throwing with the counterexample.</summary>
    /// <param name="count">Samples.</param>
    public static void ForAll<T>(Gen<T> values, Action<T> check, int count = 200) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(count), Prop.ForAll(values.ToArbitrary(), check));
}
