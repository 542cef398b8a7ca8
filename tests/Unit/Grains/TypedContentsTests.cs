using Cluster.Contracts.Protocol;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class TypedContentsTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    public static TheoryData<string, string, InferTensorContents, byte[]> EveryDatatype => new()
    {
        { "bool", "BOOL", new() { BoolContents = { true, false } }, [1, 0] },
        { "int8", "INT8", new() { IntContents = { -128, 127 } }, [0x80, 0x7F] },
        { "int16", "INT16", new() { IntContents = { short.MinValue, short.MaxValue } }, OnnxBench.Bytes(short.MinValue, short.MaxValue) },
        { "int32", "INT32", new() { IntContents = { int.MinValue, int.MaxValue } }, OnnxBench.Bytes(int.MinValue, int.MaxValue) },
        { "int64", "INT64", new() { Int64Contents = { long.MinValue, long.MaxValue } }, OnnxBench.Bytes(long.MinValue, long.MaxValue) },
        { "uint8", "UINT8", new() { UintContents = { 0, 255 } }, [0, 255] },
        { "uint16", "UINT16", new() { UintContents = { 0, 65535 } }, OnnxBench.Bytes<ushort>(0, 65535) },
        { "uint32", "UINT32", new() { UintContents = { 0, uint.MaxValue } }, OnnxBench.Bytes<uint>(0, uint.MaxValue) },
        { "uint64", "UINT64", new() { Uint64Contents = { 1, ulong.MaxValue } }, OnnxBench.Bytes<ulong>(1, ulong.MaxValue) },
        { "fp32", "FP32", new() { Fp32Contents = { -0.0f, float.NaN } }, OnnxBench.Bytes(-0.0f, float.NaN) },
        { "fp64", "FP64", new() { Fp64Contents = { 1e300, double.NegativeInfinity } }, OnnxBench.Bytes(1e300, double.NegativeInfinity) },
        { "string", "BYTES", new() { BytesContents = { ByteString.CopyFrom(0, 0xFF), ByteString.Empty } }, OnnxBench.Elements([0, 0xFF], []) },
    };

    [Theory]
    [MemberData(nameof(EveryDatatype))]
    public async Task Run_TypedContents_AreTheRawElements(string suffix, string datatype, InferTensorContents contents, byte[] raw)
    {
        var model = await bench.OpenAsync("identity_" + suffix);

        var answer = bench.Run(model, OnnxBench.Typed(("INPUT0", datatype, [1, 2], contents)));

        Assert.Equal(raw, answer.RawOutputContents[0].ToByteArray());
        Assert.Equal(datatype, answer.Outputs[0].Datatype);
        Assert.Equal([1, 2], answer.Outputs[0].Shape);
    }

    [Theory]
    [MemberData(nameof(EveryDatatype))]
    public async Task Run_OneElementTooFewOrMany_IsRejected(string suffix, string datatype, InferTensorContents contents, byte[] raw)
    {
        var model = await bench.OpenAsync("identity_" + suffix);
        Assert.NotEmpty(raw);

        Assert.Contains("contents has", bench.Reject(model, OnnxBench.Typed(("INPUT0", datatype, [1, 3], contents))), StringComparison.Ordinal);
        Assert.Contains(
            "its shape has 1 elements, but contents has",
            bench.Reject(model, OnnxBench.Typed(("INPUT0", datatype, [1, 1], contents))),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("int8", "INT8", 128, "element 0 is 128, but INT8 goes from -128 to 127")]
    [InlineData("int8", "INT8", -129, "element 0 is -129, but INT8 goes from -128 to 127")]
    [InlineData("int16", "INT16", 32768, "element 0 is 32768, but INT16 goes from -32768 to 32767")]
    public async Task Run_SignedOutOfRange_NamesTheElement(string suffix, string datatype, int value, string expected)
    {
        var model = await bench.OpenAsync("identity_" + suffix);

        var message = bench.Reject(model, OnnxBench.Typed(("INPUT0", datatype, [1, 1], new InferTensorContents { IntContents = { value } })));

        Assert.EndsWith(expected, message, StringComparison.Ordinal);
        Assert.Contains($"input 'INPUT0' for model 'identity_{suffix}'", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("uint8", "UINT8", 256u)]
    [InlineData("uint16", "UINT16", 65536u)]
    public async Task Run_UnsignedOutOfRange_NamesTheElement(string suffix, string datatype, uint value)
    {
        var model = await bench.OpenAsync("identity_" + suffix);

        Assert.Contains(
            $"element 0 is {value}, but {datatype} goes from 0 to",
            bench.Reject(model, OnnxBench.Typed(("INPUT0", datatype, [1, 1], new InferTensorContents { UintContents = { value } }))),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_AnotherField_NamesBoth()
    {
        var model = await bench.OpenAsync("identity_fp32");

        var message = bench.Reject(model, OnnxBench.Typed(("INPUT0", "FP32", [1, 1], new InferTensorContents { Fp64Contents = { 1 } })));

        Assert.EndsWith("its datatype is FP32, which travels in fp32_contents, but contents has fp64_contents", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("fp16", "FP16")]
    [InlineData("bf16", "BF16")]
    public async Task Run_HalfPrecisionTyped_PointsToRaw(string suffix, string datatype)
    {
        var model = await bench.OpenAsync("identity_" + suffix);

        var message = bench.Reject(model, OnnxBench.Typed(("INPUT0", datatype, [1, 1], new InferTensorContents { Fp32Contents = { 1 } })));

        Assert.EndsWith($"{datatype} has no typed contents, send raw_input_contents", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_UnpackedAndPackedMixed_AreOneSequence()
    {
        var model = await bench.OpenAsync("identity_int64");
        var request = OnnxBench.Typed(("INPUT0", "INT64", [1, 3], null)).ToByteArray();

        // int64_contents: packed [5, 6], then one element of its own; the input is the request's only field.
        byte[] contents = [0x1A, 2, 5, 6, 0x18, 7];
        byte[] input = [.. request[2..], 0x2A, (byte)contents.Length, .. contents];

        var answer = bench.Run(model, ModelInferRequest.Parser.ParseFrom([0x2A, (byte)input.Length, .. input]));
        var raw = bench.RunBytes(model, [0x2A, (byte)input.Length, .. input]);

        Assert.Equal([5L, 6, 7], OnnxBench.Values<long>(answer.RawOutputContents[0]));
        Assert.Equal(answer, ModelInferResponse.Parser.ParseFrom(raw));
    }

    [Fact]
    public async Task Run_PackedFloatsCutOff_IsRejected()
    {
        var model = await bench.OpenAsync("identity_fp32");
        var request = OnnxBench.Typed(("INPUT0", "FP32", [1, 1], null)).ToByteArray();
        byte[] input = [.. request[2..], 0x2A, 7, 0x32, 5, 0, 0, 0, 0, 0];

        Assert.ThrowsAny<Exception>(() => ModelInferRequest.Parser.ParseFrom([0x2A, (byte)input.Length, .. input]));
        Assert.Contains("cut off", bench.Reject(model, [0x2A, (byte)input.Length, .. input]), StringComparison.Ordinal);
    }
}
