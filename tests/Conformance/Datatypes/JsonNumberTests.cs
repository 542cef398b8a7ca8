using Cluster.Conformance.Support;
using Xunit;

namespace Cluster.Conformance.Datatypes;

/// <summary>Spellings of numbers in JSON, and those that no element can have.</summary>
public sealed class JsonNumberTests(ServerFixture fixture) : ServerTests(fixture)
{
    [Theory]
    [InlineData("FP32", "1e3,2.5E-1", "1000,0.25")]
    [InlineData("FP32", "3,-0", "3,-0")]
    [InlineData("FP32", "\"NaN\",\"-Infinity\"", "\"NaN\",\"-Infinity\"")]
    [InlineData("FP32", "1e-60,0.30000001192092896", "0,0.3")]
    [InlineData("FP64", "0.1,5e-324", "0.1,5E-324")]
    [InlineData("FP16", "65504,0.1", "65504,0.1")]
    [InlineData("INT64", "-9223372036854775808,9223372036854775807", "-9223372036854775808,9223372036854775807")]
    [InlineData("UINT64", "18446744073709551615,0", "18446744073709551615,0")]
    public async Task Infer_NumberInJson_IsReadExactly(string datatype, string data, string expected)
    {
        var result = await PostAsync("python", Path(datatype), Body(datatype, data));
        var answer = InferAnswer.Of(result);
        Assert.Equal(Elements.FromJson(datatype, System.Text.Json.JsonSerializer.Deserialize<System.Text.Json.JsonElement>($"[{expected}]")), answer.Output.Data);
    }

    [Theory]
    [InlineData("FP32", "NaN,1", "NaN")]
    [InlineData("FP32", "-Infinity,1", "Infinity")]
    [InlineData("FP32", "1e39,1", "FP32")]
    [InlineData("FP16", "65520,1", "FP16")]
    [InlineData("FP64", "1e400,1", "FP64")]
    [InlineData("FP32", "\"1\",1", "FP32")]
    [InlineData("FP32", "null,1", "FP32")]
    [InlineData("FP32", "true,1", "FP32")]
    [InlineData("INT8", "128,0", "-128 to 127")]
    [InlineData("INT8", "-129,0", "-128 to 127")]
    [InlineData("UINT8", "256,0", "0 to 255")]
    [InlineData("UINT8", "-1,0", "0 to 255")]
    [InlineData("INT16", "32768,0", "-32768 to 32767")]
    [InlineData("UINT32", "4294967296,0", "0 to 4294967295")]
    [InlineData("INT64", "9223372036854775808,0", "9223372036854775807")]
    [InlineData("UINT64", "18446744073709551616,0", "18446744073709551615")]
    [InlineData("INT32", "1.5,0", "INT32")]
    [InlineData("INT32", "1e2,0", "INT32")]
    [InlineData("BOOL", "1,0", "true or false")]
    [InlineData("BOOL", "\"true\",false", "true or false")]
    [InlineData("BYTES", "1,2", "a string")]
    [InlineData("BYTES", "\"\\ud800\",\"\"", "surrogate")]
    public async Task Infer_ValueThatTheDatatypeCannotHave_IsRefusedAndNamed(string datatype, string data, string expected)
    {
        var (status, message) = Failure(await PostAsync("node", Path(datatype), Body(datatype, data)));
        Assert.Equal("400", status);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    private static string Path(string datatype) =>
        $"/v2/models/identity_{(datatype == "BYTES" ? "string" : datatype.ToLowerInvariant())}/infer";

    private static string Body(string datatype, string data) =>
        $$"""{"inputs":[{"name":"INPUT0","shape":[1,2],"datatype":"{{datatype}}","data":[{{data}}]}]}""";
}
