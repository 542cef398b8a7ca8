using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What would take a new datatype for one of the others.</summary>
public sealed class EveryDatatypeTests : IClassFixture<OnnxBench>
{
    /// <param name="bench">Makes ONNX Runtime's environment.</param>
    public EveryDatatypeTests(OnnxBench bench)
    {
        Assert.NotNull(bench);
    }

    public static TheoryData<Datatype> All => new(Enum.GetValues<Datatype>().Where(static datatype => datatype != Datatype.Unknown));

    public static TheoryData<Datatype> Numbers => new(Enum.GetValues<Datatype>().Where(static datatype => datatype is not (Datatype.Unknown or Datatype.Bytes)));

    [Theory]
    [MemberData(nameof(All))]
    public void ToDatatype_OneTypeOfOnnxRuntime_IsThisDatatype(Datatype datatype) =>
        Assert.Single(Enum.GetValues<TensorElementType>().Distinct(), type => type.ToDatatype() == datatype);

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Padding_WithOne_IsOneInItsBytes(Datatype datatype)
    {
        var signature = SignatureOf(datatype);

        Assert.Equal(OneOf(datatype), new BatchPlan(PaddedWith(1), signature).PaddingOf(signature.Inputs[0])?.Pattern);
    }

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Padding_WithAHalf_IsForFractionsAlone(Datatype datatype)
    {
        var signature = SignatureOf(datatype);

        var refusal = Record.Exception(() => BatchRules.Check(new ModelSettings { Batching = PaddedWith(0.5) }, signature));

        Assert.Equal(HasFractions(datatype), refusal is not ServingException);
        Assert.True(refusal is null or ServingException, $"{refusal}");
    }

    private static BatchingSettings PaddedWith(double value) => new()
    {
        MaxSize = 4,
        Padding = ImmutableSortedDictionary<string, PaddedDimension>.Empty.Add("x", new PaddedDimension(1, value)),
    };

    private static ModelSignature SignatureOf(Datatype datatype)
    {
        var type = Enum.GetValues<TensorElementType>().First(type => type.ToDatatype() == datatype);
        using var session = new InferenceSession(OnnxFile.Identity((int)type, ["n", "s"]));
        return ModelSignature.Read(session, new ModelSettings(), []);
    }

    private static byte[] OneOf(Datatype datatype) => datatype switch
    {
        Datatype.Bool or Datatype.UInt8 or Datatype.Int8 => [1],
        Datatype.UInt16 or Datatype.Int16 => [1, 0],
        Datatype.UInt32 or Datatype.Int32 => [1, 0, 0, 0],
        Datatype.UInt64 or Datatype.Int64 => [1, 0, 0, 0, 0, 0, 0, 0],
        Datatype.Fp16 => [0, 0x3c],
        Datatype.Bf16 => [0x80, 0x3f],
        Datatype.Fp32 => [0, 0, 0x80, 0x3f],
        Datatype.Fp64 => [0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        Datatype.Bytes or Datatype.Unknown => throw new ArgumentOutOfRangeException(nameof(datatype)),
    };

    private static bool HasFractions(Datatype datatype) => datatype switch
    {
        Datatype.Fp16 or Datatype.Bf16 or Datatype.Fp32 or Datatype.Fp64 => true,
        Datatype.Bool or Datatype.UInt8 or Datatype.Int8 or Datatype.UInt16 or Datatype.Int16 or Datatype.UInt32 or Datatype.Int32 or Datatype.UInt64 or Datatype.Int64 => false,
        Datatype.Bytes or Datatype.Unknown => throw new ArgumentOutOfRangeException(nameof(datatype)),
    };
}
