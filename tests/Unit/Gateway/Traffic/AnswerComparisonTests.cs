using System.Runtime.InteropServices;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Traffic;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Gateway.Traffic;

/// <summary>Messages are made by Google's library, not by ours.</summary>
public sealed class AnswerComparisonTests
{
    [Theory]
    [InlineData(100f, 100f, true)]
    [InlineData(100f, 110.4f, true)]
    [InlineData(100f, 110.6f, false)]
    [InlineData(-100f, -110.4f, true)]
    [InlineData(0f, 0.5f, true)]
    [InlineData(0f, 0.6f, false)]
    [InlineData(float.NaN, float.NaN, true)]
    [InlineData(float.NaN, 0f, false)]
    [InlineData(0f, float.NaN, false)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, true)]
    [InlineData(float.PositiveInfinity, float.NegativeInfinity, false)]
    [InlineData(float.PositiveInfinity, 1f, false)]
    [InlineData(1f, float.PositiveInfinity, false)]
    public void Floats_WithinBothTolerancesTogether_AreTheSame(float expected, float actual, bool same) =>
        Assert.Equal(same ? AnswerDifference.None : AnswerDifference.Values, Compare(Answer(("Y", "FP32", [2], Bytes(1f, expected))), Answer(("Y", "FP32", [2], Bytes(1f, actual)))));

    public static TheoryData<string, byte[], byte[], bool> Numbers => new()
    {
        { "FP64", Bytes(10.0), Bytes(11.4), true },
        { "FP64", Bytes(10.0), Bytes(11.6), false },
        { "FP16", Bytes((Half)10), Bytes((Half)11), true },
        { "FP16", Bytes((Half)10), Bytes((Half)12), false },
        { "BF16", Bytes((ushort)(BitConverter.SingleToInt32Bits(10) >> 16)), Bytes((ushort)(BitConverter.SingleToInt32Bits(11) >> 16)), true },
        { "BF16", Bytes((ushort)(BitConverter.SingleToInt32Bits(10) >> 16)), Bytes((ushort)(BitConverter.SingleToInt32Bits(12) >> 16)), false },
        { "INT8", Bytes((sbyte)-10), Bytes((sbyte)-11), false },
        { "INT8", Bytes((sbyte)-128), Bytes((sbyte)127), false },
        { "INT16", Bytes((short)10), Bytes((short)12), false },
        { "INT32", Bytes(10), Bytes(11), false },
        { "INT64", Bytes(long.MinValue), Bytes(long.MaxValue), false },
        { "UINT8", Bytes((byte)10), Bytes((byte)11), false },
        { "UINT16", Bytes((ushort)10), Bytes((ushort)12), false },
        { "UINT32", Bytes(uint.MaxValue), Bytes(0u), false },
        { "UINT64", Bytes(ulong.MaxValue), Bytes(ulong.MaxValue - 1), false },
        { "INT64", Bytes(7L), Bytes(7L), true },
        { "BOOL", Bytes((byte)1), Bytes((byte)1), true },
        { "BOOL", Bytes((byte)1), Bytes((byte)0), false },
        { "BYTES", [1, 0, 0, 0, 65], [1, 0, 0, 0, 65], true },
        { "BYTES", [1, 0, 0, 0, 65], [1, 0, 0, 0, 66], false },
        { "BYTES", [1, 0, 0, 0, 65], [2, 0, 0, 0, 65, 65], false },
    };

    [Theory]
    [MemberData(nameof(Numbers))]
    public void Values_OfEachDatatype_AreCompared(string datatype, byte[] expected, byte[] actual, bool same) =>
        Assert.Equal(same ? AnswerDifference.None : AnswerDifference.Values, Compare(Answer(("Y", datatype, [1], expected)), Answer(("Y", datatype, [1], actual))));

    [Fact]
    public void Outputs_InAnotherOrderUnderAnotherModelsName_AreTheSame()
    {
        var expected = Answer(("A", "FP32", [1], Bytes(1f)), ("B", "INT32", [1], Bytes(2)));
        var actual = Answer(("B", "INT32", [1], Bytes(2)), ("A", "FP32", [1], Bytes(1f)));
        (actual.ModelName, actual.ModelVersion, actual.Id) = ("other", "9", "x");
        actual.Parameters["p"] = new InferParameter { BoolParam = true };

        Assert.Equal(AnswerDifference.None, Compare(expected, actual));
    }

    [Fact]
    public void Structure_ThatDiffers_IsToldApart()
    {
        var expected = Answer(("A", "FP32", [2, 1], Bytes(1f, 2f)));
        Assert.Equal(AnswerDifference.Outputs, Compare(expected, Answer(("B", "FP32", [2, 1], Bytes(1f, 2f)))));
        Assert.Equal(AnswerDifference.Outputs, Compare(expected, Answer()));
        Assert.Equal(AnswerDifference.Datatype, Compare(expected, Answer(("A", "INT32", [2, 1], Bytes(1f, 2f)))));
        Assert.Equal(AnswerDifference.Shape, Compare(expected, Answer(("A", "FP32", [1, 2], Bytes(1f, 2f)))));
        Assert.Equal(AnswerDifference.Values, Compare(expected, Answer(("A", "FP32", [2, 1], Bytes(1f)))));

        var bare = Answer(("A", "FP32", [2, 1], Bytes(1f, 2f)));
        bare.RawOutputContents.Clear();
        Assert.Equal(AnswerDifference.Unreadable, Compare(expected, bare));
        Assert.Equal(AnswerDifference.Unreadable, AnswerComparison.Compare(expected.ToByteArray(), [0xff], 0, 0));
    }

    [Fact]
    public void Differences_OfSeveralOutputs_TellTheGravest()
    {
        var expected = Answer(("A", "FP32", [1], Bytes(1f)), ("B", "FP32", [1], Bytes(1f)));

        Assert.Equal(AnswerDifference.Shape, Compare(expected, Answer(("A", "FP32", [1], Bytes(9f)), ("B", "FP32", [1, 1], Bytes(1f)))));
    }

    private static AnswerDifference Compare(ModelInferResponse expected, ModelInferResponse actual) => AnswerComparison.Compare(expected.ToByteArray(), actual.ToByteArray(), absolute: 0.5, relative: 0.1);

    private static ModelInferResponse Answer(params (string Name, string Datatype, long[] Shape, byte[] Raw)[] outputs)
    {
        var answer = new ModelInferResponse { ModelName = "m", ModelVersion = "1" };
        foreach (var (name, datatype, shape, raw) in outputs)
        {
            answer.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor { Name = name, Datatype = datatype, Shape = { shape } });
            answer.RawOutputContents.Add(ByteString.CopyFrom(raw));
        }

        return answer;
    }

    private static byte[] Bytes<T>(params T[] values)
        where T : unmanaged => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();
}
