using System.Text;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>The option that has NaN and infinities stand bare in JSON.</summary>
public sealed class BareFloatsTests
{
    private const string Strings = "{\"id\":\"a NaN \\\"Infinity\",\"inputs\":[{\"name\":\"NaN\\\\\",\"shape\":[4],\"datatype\":\"FP32\",\"data\":[NaN, -Infinity,Infinity,\"NaN\"]}]}";

    [Fact]
    public async Task Infer_BareInARequest_AreTheValuesAndStringsStayStrings()
    {
        await using var host = await RestHost.StartAsync(static options => options.BareFloats = true);

        var answer = await host.InferAsync(Strings);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("a NaN \"Infinity", host.Api.LastRequest!.Id);
        Assert.Equal("NaN\\", host.Api.LastRequest.Inputs[0].Name);
        Assert.Equal("0000C0FF000080FF0000807F0000C0FF", Convert.ToHexString(host.Api.LastRequest.RawInputContents[0].Span));
    }

    [Theory]
    [InlineData("FP16", "00FE007C00FC")]
    [InlineData("BF16", "C07F807F80FF")]
    [InlineData("FP32", "0000C0FF0000807F000080FF")]
    [InlineData("FP64", "000000000000F8FF000000000000F07F000000000000F0FF")]
    public async Task Infer_InAnAnswer_StandBare(string datatype, string hex)
    {
        await using var host = await RestHost.StartAsync(static options => options.BareFloats = true);
        host.Api.AnswerWith(datatype, [3], Convert.FromHexString(hex));

        var answer = await host.InferAsync("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1]}]}""");

        Assert.Contains("\"data\":[NaN,Infinity,-Infinity]", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_BareBeforeBinaryTensors_LengthsStillHold()
    {
        await using var host = await RestHost.StartAsync(static options => options.BareFloats = true);
        var json =
            """{"inputs":[{"name":"A","shape":[1],"datatype":"FP32","data":[NaN]},{"name":"B","shape":[2],"datatype":"INT8","parameters":{"binary_data_size":2}}]}""";

        var answer = await host.InferBinaryAsync(json, Encoding.ASCII.GetBytes("ab"));

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("ab", host.Api.LastRequest!.RawInputContents[1].ToStringUtf8());
    }

    [Fact]
    public async Task Infer_BareWithoutTheOption_Is400AndSaysWhatToWrite()
    {
        await using var host = await RestHost.StartAsync();

        var answer = await host.InferAsync(Strings);

        Assert.Equal(400, answer.Status);
        Assert.Contains("write one of the strings \"NaN\"", answer.Error, StringComparison.Ordinal);
    }
}
