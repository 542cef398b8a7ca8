using System.Globalization;
using System.Text;
using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>JSON tensors in and out: every datatype, every form, every mistake.</summary>
public sealed class InferJsonTests : RestServer
{
    public static TheoryData<string, string, string> Values { get; } = new()
    {
        { "BOOL", "true,false,true", "010001" },
        { "UINT8", "0,255,7", "00FF07" },
        { "UINT16", "0,65535,258", "0000FFFF0201" },
        { "UINT32", "0,4294967295,1", "00000000FFFFFFFF01000000" },
        { "UINT64", "0,18446744073709551615,9007199254740993", "0000000000000000FFFFFFFFFFFFFFFF0100000000002000" },
        { "INT8", "-128,127,-1", "807FFF" },
        { "INT16", "-32768,32767,-2", "0080FF7FFEFF" },
        { "INT32", "-2147483648,2147483647,1", "00000080FFFFFF7F01000000" },
        { "INT64", "-9223372036854775808,9223372036854775807,9007199254740993", "0000000000000080FFFFFFFFFFFFFF7F0100000000002000" },
        { "FP16", "0.099975586,-65504,\"NaN\"", "662EFFFB00FE" },
        { "BF16", "1,-2.5,\"-Infinity\"", "803F20C080FF" },
        { "FP32", "0.1,-3.4028235E+38,\"Infinity\"", "CDCCCC3DFFFF7FFF0000807F" },
        { "FP64", "0.1,1.7976931348623157E+308,\"-Infinity\"", "9A9999999999B93FFFFFFFFFFFFFEF7F000000000000F0FF" },
        { "FP16", "-0.0,0,-1", "0080000000BC" },
        { "BF16", "-0.0,0,-1", "0080000080BF" },
        { "FP32", "-0.0,0,-1", "0000008000000000000080BF" },
        { "FP64", "-0.0,0,-1", "00000000000000800000000000000000000000000000F0BF" },
        { "BYTES", "\"a\",\"\",\"h\u00e9\"", "01000000610000000003000000" + "68C3A9" },
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Infer_JsonData_ReachesTheModelAsRawBytes(string datatype, string data, string hex)
    {
        var answer = await Host.InferAsync(Request(datatype, "[3]", $"[{data}]"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(datatype, Host.Api.LastRequest!.Inputs[0].Datatype);
        Assert.Equal([3L], Host.Api.LastRequest.Inputs[0].Shape);
        Assert.Equal(hex, Convert.ToHexString(Host.Api.LastRequest.RawInputContents[0].Span));
    }

    [Theory]
    [MemberData(nameof(Values))]
    public async Task Infer_RawOutput_IsAnsweredAsTheSameJson(string datatype, string data, string hex)
    {
        Host.Api.AnswerWith(datatype, [3], Convert.FromHexString(hex));

        var answer = await Host.InferAsync(Request("INT8", "[1]", "[1]"));

        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal(
            $$"""{"model_name":"m","model_version":"1","outputs":[{"name":"OUT","datatype":"{{datatype}}","shape":[3],"data":[{{data}}]}]}""",
            answer.Text);
    }

    [Theory]
    [InlineData("[[1,2,3],[4,5,6]]")]
    [InlineData("[1,2,3,4,5,6]")]
    [InlineData("[[[1,2]],[[3,4]],[[5,6]]]")]
    [InlineData(" [ [ 1 , 2 ] , [3,4],\n[5,6] ] ")]
    public async Task Infer_NestedOrFlat_SameBytes(string data)
    {
        var answer = await Host.InferAsync(Request("UINT8", "[2,3]", data));

        Assert.Equal(200, answer.Status);
        Assert.Equal("010203040506", Convert.ToHexString(Host.Api.LastRequest!.RawInputContents[0].Span));
    }

    [Theory]
    [InlineData("""{"inputs":[{"data":[1,2],"parameters":{"x":[1,{"y":2}]},"datatype":"INT8","shape":[2],"name":"A","extra":{"a":[]}}],"model_name":"other","id":"7"}""")]
    [InlineData("""{"id":"7","inputs":[{"name":"A","datatype":"INT8","data":[1,2],"shape":[2]}]}""")]
    [InlineData("""{"inputs":[{"shape":[2],"data":[1,2],"name":"A","datatype":"INT8"}],"outputs":[],"id":"7"}""")]
    public async Task Infer_MembersInAnyOrder_SameRequest(string json)
    {
        var answer = await Host.InferAsync(json);

        Assert.Equal(200, answer.Status);
        Assert.Equal("7", answer.Json.GetProperty("id").GetString());
        var request = Host.Api.LastRequest!;
        Assert.Equal("m", request.ModelName);
        Assert.Equal(("A", "INT8"), (request.Inputs[0].Name, request.Inputs[0].Datatype));
        Assert.Equal("0102", Convert.ToHexString(request.RawInputContents[0].Span));
    }

    [Fact]
    public async Task Infer_InputsOfMixedMemberOrder_KeepTheirTensors()
    {
        await Host.InferAsync("""
            {"inputs":[{"data":["x"],"name":"A","datatype":"BYTES","shape":[1]},
                       {"name":"B","datatype":"INT8","shape":[2],"data":[2,3]},
                       {"name":"C","shape":[],"data":[4.5],"datatype":"FP32"}]}
            """);

        var request = Host.Api.LastRequest!;
        Assert.Equal(["A", "B", "C"], request.Inputs.Select(input => input.Name));
        Assert.Equal(["0100000078", "0203", "00009040"], request.RawInputContents.Select(raw => Convert.ToHexString(raw.Span)));
        Assert.Empty(request.Inputs[2].Shape);
    }

    [Theory]
    [InlineData("FP16", "1.0004882812500001", "013C")]
    [InlineData("FP16", "1.00048828125", "003C")]
    [InlineData("FP16", "1.00146484375", "023C")]
    [InlineData("FP16", "5.9604644775390625e-8", "0100")]
    [InlineData("BF16", "1.00390625", "803F")]
    [InlineData("BF16", "1.00390626", "813F")]
    [InlineData("BF16", "1.00390625000000000000000000000001", "813F")]
    [InlineData("BF16", "1.00390624999999999999999999999999", "803F")]
    [InlineData("BF16", "-100390625000000000000000000000001e-32", "81BF")]
    [InlineData("BF16", "100390625e-8", "803F")]
    [InlineData("BF16", "1.01171874999999999999999999999999", "813F")]
    [InlineData("BF16", "-4.591774807899560578002877098524397178979162331140966880893561352650067419745028018951416015625E-41", "0080")]
    [InlineData("BF16", "-4.5917748078995605780028770985243971789791623311409668808935613526500674197450280189514160156251E-41", "0180")]
    [InlineData("BF16", "339617752923046005526922703901628039167.999", "7F7F")]
    [InlineData("BF16", "1.01171875", "823F")]
    [InlineData("BF16", "9.183549615799121e-41", "0100")]
    [InlineData("BF16", "-1.1754943508222875e-38", "8080")]
    [InlineData("BF16", "\"NaN\"", "C07F")]
    [InlineData("FP32", "16777217", "0000804B")]
    [InlineData("FP32", "1.00000005960464477539062500", "0000803F")]
    [InlineData("FP32", "1.00000005960464477539062501", "0100803F")]
    [InlineData("FP32", "1e-46", "00000000")]
    [InlineData("FP32", "-0.0", "00000080")]
    [InlineData("FP64", "0.1e1", "000000000000F03F")]
    public async Task Infer_Float_IsRoundedOnceToTheNearest(string datatype, string text, string hex)
    {
        var answer = await Host.InferAsync(Request(datatype, "[1]", $"[{text}]"));

        Assert.Equal(200, answer.Status);
        Assert.Equal(hex, Convert.ToHexString(Host.Api.LastRequest!.RawInputContents[0].Span));
    }

    [Theory]
    [InlineData("INT8", "128", "an integer from -128 to 127")]
    [InlineData("INT8", "-129", "-129")]
    [InlineData("UINT8", "256", "0 to 255")]
    [InlineData("UINT8", "-1", "0 to 255")]
    [InlineData("INT16", "32768", "-32768 to 32767")]
    [InlineData("UINT16", "65536", "0 to 65535")]
    [InlineData("INT32", "2147483648", "-2147483648 to 2147483647")]
    [InlineData("UINT32", "4294967296", "0 to 4294967295")]
    [InlineData("INT64", "9223372036854775808", "9223372036854775807")]
    [InlineData("UINT64", "18446744073709551616", "18446744073709551615")]
    [InlineData("INT32", "1.5", "without fraction")]
    [InlineData("INT32", "2.0", "without fraction")]
    [InlineData("INT64", "1e2", "without fraction")]
    [InlineData("INT32", "true", "an integer")]
    [InlineData("INT32", "\"1\"", "the string \"1\"")]
    [InlineData("INT32", "null", "null")]
    [InlineData("INT32", "{}", "an object")]
    [InlineData("BOOL", "1", "true or false")]
    [InlineData("BOOL", "\"true\"", "true or false")]
    [InlineData("FP16", "65520", "-65504 to 65504")]
    [InlineData("BF16", "3.4e38", "3.3895314E+38")]
    [InlineData("BF16", "339617752923046005526922703901628039168", "3.3895314E+38")]
    [InlineData("FP32", "3.5e38", "3.4028235E+38")]
    [InlineData("FP32", "\"nan\"", "\"NaN\"")]
    [InlineData("FP32", "false", "false")]
    [InlineData("FP64", "1e309", "1.7976931348623157E+308")]
    [InlineData("BYTES", "1", "a string")]
    [InlineData("BYTES", "\"\\ud800\"", "surrogate")]
    public async Task Infer_ElementThatDoesNotFit_IsRefusedByName(string datatype, string element, string expected)
    {
        var good = datatype switch { "BOOL" => "true", "BYTES" => "\"x\"", _ => "0" };

        var answer = await Host.InferAsync(Request(datatype, "[2]", $"[{good},{element}]"));

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
        if (!element.Contains("ud800", StringComparison.Ordinal))
        {
            Assert.Contains("input 'IN': element 1", answer.Error, StringComparison.Ordinal);
            Assert.Contains(datatype, answer.Error, StringComparison.Ordinal);
        }

        Assert.Equal(("m", ""), Assert.Single(Host.Api.Unreadable));
        Assert.Null(Host.Api.LastCall);
    }

    [Theory]
    [InlineData("[2,2]", "[[1,2],[3]]", "ragged")]
    [InlineData("[3]", "[1,[2],3]", "ragged")]
    [InlineData("[2]", "[[1],2]", "ragged")]
    [InlineData("[1]", "[[],1]", "ragged")]
    [InlineData("[1]", "[[[]],[1]]", "ragged")]
    [InlineData("[1]", "[[],[1]]", "ragged")]
    [InlineData("[2,2]", "[1,2,3]", "data has 3 elements, its shape [2,2] needs 4")]
    [InlineData("[]", "[]", "data has 0 elements, its shape [] needs 1")]
    [InlineData("[]", "5", "data must be an array")]
    [InlineData("[1]", "null", "has no data")]
    [InlineData("[-1]", "[1]", "shape must be a list of integers")]
    [InlineData("[1.5]", "[1]", "shape must be a list of integers")]
    [InlineData("[[1]]", "[1]", "shape must be a list of integers")]
    [InlineData("[\"1\"]", "[1]", "shape must be a list of integers")]
    [InlineData("[9223372036854775808]", "[1]", "shape must be a list of integers")]
    [InlineData("1", "[1]", "shape must be an array")]
    [InlineData("[16,1152921504606846978]", "[1]", "63 bits")]
    [InlineData("[4294967296,4294967296,0]", "[1]", "needs 0")]
    public async Task Infer_ShapeAndDataThatDoNotFit_AreRefused(string shape, string data, string expected)
    {
        var answer = await Host.InferAsync(Request("INT32", shape, data));

        Assert.Equal(400, answer.Status);
        Assert.Contains("'IN'", answer.Error, StringComparison.Ordinal);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "not valid JSON: line 1, position 1: it is empty")]
    [InlineData(" \n ", "not valid JSON: line 2, position 2: it is empty")]
    [InlineData("{", "not valid JSON: line 1, position 2: it ends too early")]
    [InlineData("{\"id\":\n hello}", "not valid JSON: line 2, position 2: unexpected 'h'")]
    [InlineData("[]", "the request must be an object")]
    [InlineData("1", "the request must be an object")]
    [InlineData("""{"inputs":[[1,2]]}""", "an input must be an object: {\"name\": ")]
    [InlineData("""{"inputs":[{"name":"A","shape":[2],"datatype":"FP32","data":[1,null]}]}""", "element 1 of data is null")]
    [InlineData("""{"inputs":[{"name":"A","shape":[2],"datatype":"FP64","data":[1,null]}]}""", "write \"NaN\" where null stands for it")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"BYTES","data":[null]}]}""", "BYTES needs a string")]
    [InlineData("""{"inputs":{}}""", "inputs must be an array")]
    [InlineData("""{"inputs":[1]}""", "an input must be an object")]
    [InlineData("""{"inputs":[{"shape":[1],"datatype":"INT8","data":[1]}]}""", "has no name")]
    [InlineData("""{"inputs":[{"name":"A","datatype":"INT8","data":[1]}]}""", "has no shape")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"data":[1]}]}""", "has no datatype")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8"}]}""", "has no data")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"int8","data":[1]}]}""", "'int8' is none of BOOL")]
    [InlineData("""{"inputs":[{"name":1,"shape":[1],"datatype":"INT8","data":[1]}]}""", "name must be a string")]
    [InlineData("""{"inputs":[{"name":"A","name":"B","shape":[1],"datatype":"INT8","data":[1]}]}""", "name twice")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"shape":[1],"datatype":"INT8","data":[1]}]}""", "shape twice")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","datatype":"INT8","data":[1]}]}""", "datatype twice")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"data":[1]}]}""", "data twice")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"inputs":[]}""", "inputs twice")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"id":7}""", "id must be a string")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"parameters":[]}""", "parameters must be an object")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"parameters":{"binary_data_output":1}}""", "'binary_data_output'")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"outputs":{}}""", "outputs must be an array")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"outputs":[{}]}""", "an output has no name")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"outputs":[{"name":"O","parameters":{"binary_data":"yes"}}]}""", "binary_data must be")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],"outputs":[{"name":"O","parameters":{"classification":-1}}]}""", "'classification' of output 'O' must be")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{"binary_data_size":1}}]}""", "both data and binary_data_size")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","parameters":{"binary_data_size":-1}}]}""", "binary_data_size must be")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}]} x""", "not valid JSON: line 1, position 68: unexpected 'x'")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"FP32","data":[NaN]}]}""", "one of the strings \"NaN\"")]
    [InlineData("""{"inputs":[{"name":"A","shape":[2],"datatype":"FP32","data":[1, -Infinity]}]}""", "one of the strings \"NaN\"")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"FP32","data":[1,]}]}""", "not valid JSON: line 1, position 64: unexpected ']' after ','")]
    public async Task Infer_MalformedRequest_IsRefused(string json, string expected)
    {
        var answer = await Host.InferAsync(json);

        Assert.Equal(400, answer.Status);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"inputs":[]}""")]
    [InlineData("""{"inputs":null,"outputs":[{"name":"OUT"}]}""")]
    public async Task Infer_NoInputs_IsLeftToTheModel(string json)
    {
        var answer = await Host.InferAsync(json);

        Assert.Equal(200, answer.Status);
        Assert.Empty(Host.Api.LastRequest!.Inputs);
    }

    [Fact]
    public async Task Infer_BodyThatIsNotUtf8_IsRefused()
    {
        var answer = await Host.PostAsync(RestHost.InferPath, [.. "{\"id\":\""u8, 0xFF, .. "\"}"u8]);

        Assert.Equal(400, answer.Status);
        Assert.Contains("UTF-8", answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(97, 200)]
    [InlineData(98, 400)]
    [InlineData(250_000, 400)]
    public async Task Infer_DeepNesting_IsRefusedAboveOneHundredLevels(int levels, int status)
    {
        var answer = await Host.InferAsync(Request("INT8", "[1]", new string('[', levels) + "1" + new string(']', levels)));

        Assert.Equal(status, answer.Status);
    }

    [Theory]
    [InlineData("[0]", "[]", 0)]
    [InlineData("[2,0]", "[[],[]]", 0)]
    [InlineData("[]", "[7]", 1)]
    public async Task Infer_EmptyAndScalarTensors_AreLegal(string shape, string data, int length)
    {
        var answer = await Host.InferAsync(Request("INT8", shape, data));

        Assert.Equal(200, answer.Status);
        Assert.Equal(length, Assert.Single(Host.Api.LastRequest!.RawInputContents).Length);
    }

    [Fact]
    public async Task Infer_EscapedStrings_AreUnescaped()
    {
        await Host.InferAsync(Request("BYTES", "[4]", """["a\u0000b","\"\\\n","\ud83d\ude00","\u00e9"]"""));

        var expected = new[] { "a\0b", "\"\\\n", "\U0001F600", "\u00e9" }.SelectMany(text =>
            BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)).Concat(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(expected, Host.Api.LastRequest!.RawInputContents[0]);
    }

    [Fact]
    public async Task Infer_Parameters_KeepTheirKinds()
    {
        await Host.InferAsync("""
            {"parameters":{"b":true,"i":-3,"u":18446744073709551615,"d":0.25,"s":"t\u00e9","binary_data_output":false},
             "inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}],
             "outputs":[{"name":"O","parameters":{"classification":3}},{"name":"P"}]}
            """);

        var request = Host.Api.LastRequest!;
        Assert.Equal(5, request.Parameters.Count);
        Assert.True(request.Parameters["b"].BoolParam);
        Assert.Equal(-3, request.Parameters["i"].Int64Param);
        Assert.Equal(ulong.MaxValue, request.Parameters["u"].Uint64Param);
        Assert.Equal(0.25, request.Parameters["d"].DoubleParam);
        Assert.Equal("t\u00e9", request.Parameters["s"].StringParam);
        Assert.Equal(3, request.Outputs[0].Parameters["classification"].Int64Param);
        Assert.Equal("P", request.Outputs[1].Name);
        Assert.Empty(request.Outputs[1].Parameters);
    }

    [Fact]
    public async Task Infer_LargeTensor_RoundTripsExactly()
    {
        var random = new Random(7);
        var raw = new byte[400_000];
        random.NextBytes(raw);
        var values = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(raw).ToArray();
        var data = values.Select(value => float.IsFinite(value) ? value.ToString("R", CultureInfo.InvariantCulture) : "0").ToArray();
        Host.Api.Infer = (_, request, _) =>
        {
            var response = new ModelInferResponse { ModelName = "m", ModelVersion = "1" };
            response.Outputs.Add(new ModelInferResponse.Types.InferOutputTensor { Name = "O", Datatype = "FP32", Shape = { request.Inputs[0].Shape } });
            response.RawOutputContents.Add(request.RawInputContents[0]);
            return ValueTask.FromResult(FakeServingApi.Answer(response));
        };

        var answer = await Host.InferAsync(Request("FP32", "[100,1000]", $"[{string.Join(',', data)}]"));

        var output = answer.Json.GetProperty("outputs")[0].GetProperty("data").EnumerateArray().Select(value => value.GetRawText());
        Assert.Equal(data, output);
    }

    private static string Request(string datatype, string shape, string data) =>
        $$"""{"inputs":[{"name":"IN","shape":{{shape}},"datatype":"{{datatype}}","data":{{data}}}]}""";
}
