using Cluster.Contracts.Wire;
using Cluster.Grains.Tensors;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ClassificationTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    public static TheoryData<Datatype, byte[], string[]> Scores => new()
    {
        { Datatype.Fp32, OnnxBench.Bytes(0.25f, -1, 3), ["3.000000:2", "0.250000:0", "-1.000000:1"] },
        { Datatype.Fp32, OnnxBench.Bytes(float.NaN, float.NegativeInfinity, 1), ["1.000000:2", "-Infinity:1", "NaN:0"] },
        { Datatype.Fp32, OnnxBench.Bytes(1f, 1, 1), ["1.000000:0", "1.000000:1", "1.000000:2"] },
        { Datatype.Fp64, OnnxBench.Bytes(0.5, 0.25, 0.125), ["0.500000:0", "0.250000:1", "0.125000:2"] },
        { Datatype.Fp16, OnnxBench.Bytes((Half)1, (Half)2, (Half)3), ["3.000000:2", "2.000000:1", "1.000000:0"] },
        { Datatype.Bf16, [0x80, 0x3F, 0x00, 0xC0, 0x00, 0x40], ["2.000000:2", "1.000000:0", "-2.000000:1"] },
        { Datatype.Int8, [1, 0xFF, 2], ["2:2", "1:0", "-1:1"] },
        { Datatype.UInt8, [1, 0xFF, 2], ["255:1", "2:2", "1:0"] },
        { Datatype.Bool, [0, 1, 0], ["1:1", "0:0", "0:2"] },
        { Datatype.Int16, OnnxBench.Bytes<short>(-5, 5, 0), ["5:1", "0:2", "-5:0"] },
        { Datatype.UInt16, OnnxBench.Bytes<ushort>(5, 65535, 0), ["65535:1", "5:0", "0:2"] },
        { Datatype.Int32, OnnxBench.Bytes(-5, 5, 0), ["5:1", "0:2", "-5:0"] },
        { Datatype.UInt32, OnnxBench.Bytes(uint.MaxValue, 5u, 0u), ["4294967295:0", "5:1", "0:2"] },

        // Neighbours that are the same number as doubles.
        {
            Datatype.Int64, OnnxBench.Bytes(long.MaxValue - 2, long.MaxValue, long.MaxValue - 1),
            ["9223372036854775807:1", "9223372036854775806:2", "9223372036854775805:0"]
        },
        {
            Datatype.UInt64, OnnxBench.Bytes<ulong>(ulong.MaxValue - 1, ulong.MaxValue, 0),
            ["18446744073709551615:1", "18446744073709551614:0", "0:2"]
        },
    };

    [Theory]
    [MemberData(nameof(Scores))]
    public void Encode_EveryDatatype_OrdersBestFirst(Datatype datatype, byte[] raw, string[] expected)
    {
        var encoded = Classification.Encode(raw, datatype, [3], 3, []);

        Assert.Equal(expected, OnnxBench.Texts(ByteString.CopyFrom(encoded)));
    }

    [Theory]
    [InlineData(new long[] { 3 }, 2, new long[] { 2 })]
    [InlineData(new long[] { 3 }, 9, new long[] { 3 })]
    [InlineData(new long[] { }, 1, new long[] { 1 })]
    [InlineData(new long[] { 2, 10 }, 3, new long[] { 2, 3 })]
    [InlineData(new long[] { 2, 5, 2 }, 30, new long[] { 2, 10 })]
    [InlineData(new long[] { 0, 10 }, 3, new long[] { 0, 0 })]
    [InlineData(new long[] { 4, 0 }, 3, new long[] { 4, 0 })]
    public void Shape_OfScores_IsRowsAndClasses(long[] scores, int classes, long[] expected) =>
        Assert.Equal(expected, Classification.Shape(scores, classes));

    [Fact]
    public void Encode_FewerLabelsThanClasses_LeavesTheRestWithout() => Assert.Equal(
        ["2.000000:1", "1.000000:0:ant"],
        OnnxBench.Texts(ByteString.CopyFrom(Classification.Encode(OnnxBench.Bytes(1f, 2), Datatype.Fp32, [2], 2, ["ant"]))));

    [Fact]
    public void Encode_NoRows_IsEmpty() => Assert.Empty(Classification.Encode([], Datatype.Fp32, [0, 10], 3, []));

    [Fact]
    public async Task Run_Classification_AnswersLabelsOfEachRow()
    {
        var model = await bench.OpenAsync("classify");
        var scores = Enumerable.Range(0, 20).Select(i => (float)(i < 10 ? i : 20 - i)).ToArray();
        var request = OnnxBench.Raw(("INPUT0", "FP32", [2, 10], OnnxBench.Bytes(scores)));
        request.Outputs.Add(OnnxBench.Output("OUTPUT0", classes: 2));

        var answer = bench.Run(model, request);

        Assert.Equal("BYTES", answer.Outputs[0].Datatype);
        Assert.Equal([2L, 2], answer.Outputs[0].Shape);
        Assert.Equal(
            ["9.000000:9:jay", "8.000000:8:ibis", "10.000000:0:ant", "9.000000:1:bee"], OnnxBench.Texts(answer.RawOutputContents[0]));
    }

    [Fact]
    public async Task Run_ClassificationOfText_IsRejected()
    {
        var model = await bench.OpenAsync("identity_string");
        var request = OnnxBench.Raw(("INPUT0", "BYTES", [1, 1], OnnxBench.Elements([65])));
        request.Outputs.Add(OnnxBench.Output("OUTPUT0", classes: 2));

        Assert.Equal(
            "classification of output 'OUTPUT0' for model 'identity_string' is not possible: its datatype is BYTES, expected numbers",
            bench.Reject(model, request));
    }
}
