using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Google.Protobuf;
using System.Collections.Immutable;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class InputBinderTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    private static readonly byte[] Row = new byte[16 * sizeof(int)];

    public static TheoryData<string, string, long[], int, string> WrongInputs => new()
    {
        { "other", "FP32", [1, 16], 64, "unexpected inference input 'other' for model 'fixed_fp32'; expected inputs: 'INPUT0'" },
        {
            "INPUT0", "INT32", [1, 16], 64,
            "inference input 'INPUT0' data-type is 'INT32', but model 'fixed_fp32' expects 'FP32'"
        },
        {
            "INPUT0", "float", [1, 16], 64,
            "inference input 'INPUT0' data-type is 'float', but model 'fixed_fp32' expects 'FP32'; the datatypes are " +
            "BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES"
        },
        { "INPUT0", "FP32", [16], 64, "unexpected shape for input 'INPUT0' for model 'fixed_fp32'. Expected [1,16], got [16]: expected 2 dimensions" },
        { "INPUT0", "FP32", [2, 16], 128, "unexpected shape for input 'INPUT0' for model 'fixed_fp32'. Expected [1,16], got [2,16]: dimension 0 does not fit" },
        { "INPUT0", "FP32", [1, -16], 64, "unexpected shape for input 'INPUT0' for model 'fixed_fp32'. Expected [1,16], got [1,-16]: a dimension is negative" },
        { "INPUT0", "FP32", [1, 16], 63, "input byte size mismatch for input 'INPUT0' for model 'fixed_fp32'. Expected 64, got 63" },
        { "INPUT0", "FP32", [1, 16], 68, "input byte size mismatch for input 'INPUT0' for model 'fixed_fp32'. Expected 64, got 68" },
    };

    [Theory]
    [MemberData(nameof(WrongInputs))]
    public async Task Run_WrongInput_SaysWhatWasFoundAndWhatWouldBeRight(string name, string datatype, long[] shape, int bytes, string expected)
    {
        var model = await bench.OpenAsync("fixed_fp32");

        Assert.Equal(expected, bench.Reject(model, OnnxBench.Raw((name, datatype, shape, new byte[bytes]))));
    }

    [Fact]
    public async Task Run_MissingInput_NamesItAndAll()
    {
        var model = await bench.OpenAsync("add_sub_int32");

        Assert.Equal(
            "missing input 'INPUT1' for model 'add_sub_int32'; expected inputs: 'INPUT0', 'INPUT1'",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "INT32", [1, 16], Row))));
    }

    [Fact]
    public async Task Run_InputTwice_IsRejected()
    {
        var model = await bench.OpenAsync("add_sub_int32");

        Assert.Equal(
            "input 'INPUT0' is given twice for model 'add_sub_int32'",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "INT32", [1, 16], Row), ("INPUT0", "INT32", [1, 16], Row))));
    }

    [Fact]
    public async Task Run_BatchesOfOtherSizes_AreRejectedWhereTheModelHasBatches()
    {
        var batched = await bench.OpenAsync("add_sub_int32", settings: new ModelSettings { MaxBatchSize = 8 });
        var plain = await bench.OpenAsync("add_sub_int32");
        var request = OnnxBench.Raw(("INPUT0", "INT32", [1, 16], Row), ("INPUT1", "INT32", [2, 16], [.. Row, .. Row]));

        Assert.Equal(
            "input 'INPUT1' batch size does not match other inputs for model 'add_sub_int32': it is 2, that of 'INPUT0' is 1",
            bench.Reject(batched, request));
        Assert.Equal([2L, 16], bench.Run(plain, request).Outputs[0].Shape);
        Assert.Equal([1L, 16], bench.Run(batched, OnnxBench.Raw(("INPUT0", "INT32", [1, 16], Row), ("INPUT1", "INT32", [1, 16], Row))).Outputs[0].Shape);
    }

    [Fact]
    public async Task Run_InputsInAnyOrder_AreFoundByName()
    {
        var model = await bench.OpenAsync("add_sub_int32");
        var left = OnnxBench.Bytes(Enumerable.Range(100, 16).ToArray());
        var right = OnnxBench.Bytes(Enumerable.Range(0, 16).ToArray());

        var answer = bench.Run(model, OnnxBench.Raw(("INPUT1", "INT32", [1, 16], right), ("INPUT0", "INT32", [1, 16], left)));

        Assert.Equal(Enumerable.Repeat(100, 16), OnnxBench.Values<int>(answer.RawOutputContents[1]));
    }

    [Fact]
    public async Task Run_RawAndContents_IsRejected()
    {
        var model = await bench.OpenAsync("fixed_fp32");
        var request = OnnxBench.Raw(("INPUT0", "FP32", [1, 16], Row));
        request.Inputs[0].Contents = new Contracts.Protocol.InferTensorContents();

        Assert.StartsWith(
            "contents field must not be specified when using raw_input_contents for 'INPUT0'", bench.Reject(model, request), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, "unable to find data for input tensor 'INPUT1' for model 'add_sub_int32' in request.")]
    [InlineData(3, "raw_input_contents has 3 entries for 2 inputs for model 'add_sub_int32'; expected one an input")]
    public async Task Run_AnotherNumberOfRawContents_IsRejected(int entries, string expected)
    {
        var model = await bench.OpenAsync("add_sub_int32");
        var request = OnnxBench.Raw(("INPUT0", "INT32", [1, 16], Row), ("INPUT1", "INT32", [1, 16], Row));
        request.RawInputContents.Clear();
        request.RawInputContents.Add(Enumerable.Repeat(ByteString.CopyFrom(Row), entries));

        Assert.Equal(expected, bench.Reject(model, request));
    }

    [Fact]
    public async Task Run_MoreElementsThanCanBeCounted_IsRejected()
    {
        var model = await bench.OpenAsync("identity_fp32");

        Assert.EndsWith(
            "more elements than can be counted",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "FP32", [long.MaxValue, 2], new byte[8]))),
            StringComparison.Ordinal);
        Assert.Contains(
            "Expected 36893488147419103228, got 8",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "FP32", [long.MaxValue, 1], new byte[8]))),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_HugeShapeWithoutContents_TakesNoMemory()
    {
        var fp32 = await bench.OpenAsync("identity_fp32");
        var text = await bench.OpenAsync("identity_string");

        Assert.Contains("contents has fewer", bench.Reject(fp32, OnnxBench.Typed(("INPUT0", "FP32", [1L << 40, 1], null))), StringComparison.Ordinal);
        Assert.Contains("contents has 0", bench.Reject(text, OnnxBench.Typed(("INPUT0", "BYTES", [1L << 40, 1], null))), StringComparison.Ordinal);
        Assert.Contains("got 0", bench.Reject(text, OnnxBench.Raw(("INPUT0", "BYTES", [1L << 40, 1], []))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_BoolOtherThan0And1_IsRejected()
    {
        var model = await bench.OpenAsync("identity_bool");

        Assert.EndsWith("a BOOL element is a byte 0 or 1", bench.Reject(model, OnnxBench.Raw(("INPUT0", "BOOL", [1, 2], [1, 2]))), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_LongNameOfNoInput_IsCutInTheMessage()
    {
        var model = await bench.OpenAsync("fixed_fp32");

        var message = bench.Reject(model, OnnxBench.Raw((new string('n', 100_000), "FP32", [1, 16], Row)));

        Assert.InRange(message.Length, 256, 600);
    }

    [Theory]
    [InlineData("01 00 00", "element 0 has no whole 4-byte length")]
    [InlineData("02 00 00 00 61", "element 0 has 2 bytes where 1 are left")]
    [InlineData("FF FF FF FF 61", "element 0 has 4294967295 bytes where 1 are left")]
    [InlineData("01 00 00 00 61", "expected 2 elements, got 1")]
    [InlineData("00 00 00 00 00 00 00 00 00 00 00 00", "expected 2 elements, got 3")]
    public async Task Run_MalformedBytesTensor_SaysWhere(string hex, string expected)
    {
        var model = await bench.OpenAsync("identity_string");
        var raw = Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

        Assert.Equal(
            $"BYTES data of input 'INPUT0' for model 'identity_string' does not fit: {expected}",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "BYTES", [1, 2], raw))));
    }

    [Fact]
    public async Task Run_OptionalInput_HasItsDefaultUnlessGiven()
    {
        var model = await bench.OpenAsync("defaults");
        var x = ("X", "FP32", new long[] { 2 }, OnnxBench.Bytes(1f, 3f));

        Assert.Equal([2f, 6f], OnnxBench.Values<float>(bench.Run(model, OnnxBench.Raw(x)).RawOutputContents[0]));
        Assert.Equal(
            [10f, 30f],
            OnnxBench.Values<float>(bench.Run(model, OnnxBench.Raw(x, ("scale", "FP32", [1], OnnxBench.Bytes(10f)))).RawOutputContents[0]));
        Assert.Equal([("X", false), ("scale", true)], model.Signature.Inputs.Select(input => (input.Name, input.Optional)));
    }

    [Fact]
    public async Task Run_DisagreeingSymbols_ExplainsTheFailedRun()
    {
        var model = await bench.OpenAsync("add_sub_int32");

        var message = bench.Reject(model, OnnxBench.Raw(("INPUT0", "INT32", [2, 16], new byte[128]), ("INPUT1", "INT32", [3, 16], new byte[192])));

        Assert.Contains("dimension 'batch' is 2 in input 'INPUT0' but 3 in input 'INPUT1'", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ConfiguredShapes_NarrowTheGraphs()
    {
        var model = await bench.OpenAsync("batchy", settings: new ModelSettings { BatchSize = new DimensionRange(1, 2) });

        Assert.Equal(
            "unexpected shape for input 'INPUT0' for model 'batchy'. Expected [1:2,4], got [3,4]: dimension 0 does not fit",
            bench.Reject(model, OnnxBench.Raw(("INPUT0", "FP32", [3, 4], new byte[48]))));
        Assert.Equal([2], bench.Run(model, OnnxBench.Raw(("INPUT0", "FP32", [2, 4], new byte[32]))).Outputs[0].Shape);
    }

    [Theory]
    [InlineData("other", 1, "input_shapes names 'other', which is no input of the model; its inputs are 'INPUT0'")]
    [InlineData("INPUT0", 1, "input_shapes gives input 'INPUT0' 1 dimensions, but the model declares 2")]
    [InlineData("", 2, "dimension 1 of input 'INPUT0' is 4 in the model, which the configured 7 excludes")]
    public async Task Open_SettingsThatDoNotFit_SaysWhy(string input, int rank, string expected)
    {
        var shapes = ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>>.Empty.Add(
            input, [.. Enumerable.Repeat(DimensionRange.Exactly(7), rank)]);

        var failure = await bench.FailToOpenAsync("batchy", new ModelSettings { InputShapes = shapes });

        Assert.Equal((StatusCode.Unavailable, expected), (failure.Code, failure.Message));
    }
}
