using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Serializers write null for members that are not set, and objects where others expect scalars.</summary>
public sealed class OptionalMembersTests : RestServer
{
    private const string Input = """{"name":"A","shape":[1],"datatype":"INT8","data":[1]}""";

    [Theory]
    [InlineData($$$"""{"id":null,"parameters":null,"outputs":null,"inputs":[{{{Input}}}]}""")]
    [InlineData($$$"""{"parameters":{"binary_data_output":null,"p":null},"inputs":[{{{Input}}}]}""")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":null}]}""")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{"binary_data_size":null,"p":null}}]}""")]
    [InlineData($$$"""{"inputs":[{{{Input}}}],"outputs":[{"name":"O","parameters":null}]}""")]
    [InlineData($$$"""{"inputs":[{{{Input}}}],"outputs":[{"name":"O","parameters":{"binary_data":null,"classification":null,"p":null}}]}""")]
    public async Task Infer_NullForWhatIsOptional_IsAsIfItWereNotThere(string json)
    {
        var answer = await Host.InferAsync(json);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal("", Host.Api.LastRequest!.Id);
        Assert.Empty(Host.Api.LastRequest.Parameters);
    }

    [Fact]
    public async Task Infer_NullDataBesideABinarySize_IsBinary()
    {
        var answer = await Host.InferBinaryAsync(
            """{"inputs":[{"name":"A","shape":[2],"datatype":"INT8","data":null,"parameters":{"binary_data_size":2}}]}""", [7, 8]);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal([7, 8], Host.Api.LastRequest!.RawInputContents[0].ToByteArray());
    }

    [Theory]
    [InlineData("""{"inputs":[{"name":null,"shape":[1],"datatype":"INT8","data":[1]}]}""", "has no name")]
    [InlineData("""{"inputs":[{"name":"A","shape":null,"datatype":"INT8","data":[1]}]}""", "has no shape")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":null,"data":[1]}]}""", "has no datatype")]
    [InlineData("""{"inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":null}]}""", "has no data")]
    [InlineData($$$"""{"inputs":[{{{Input}}}],"outputs":[{"name":null}]}""", "an output has no name")]
    public async Task Infer_NullForWhatIsNot_IsMissing(string json, string expected)
    {
        var answer = await Host.InferAsync(json);

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"headers\":{\"a\":[1]}}")]
    [InlineData("{\"list\":[1,{}]}")]
    public async Task Infer_ParametersThatAreObjectsOrLists_ArePassedOverOnEveryLevel(string parameters)
    {
        var answer = await Host.InferAsync(
            $$"""
            {"parameters":{{parameters}},
             "inputs":[{"name":"A","shape":[1],"datatype":"INT8","data":[1],"parameters":{{parameters}}}],
             "outputs":[{"name":"O","parameters":{{parameters}}}]}
            """);

        Assert.True(answer.Status == 200, answer.Text);
        Assert.Empty(Host.Api.LastRequest!.Parameters);
    }

    [Theory]
    [InlineData("/v2/repository/index", """{"ready":null}""")]
    [InlineData("/v2/repository/models/m/load", """{"parameters":null}""")]
    [InlineData("/v2/repository/models/m/load", """{"parameters":{"config":null}}""")]
    [InlineData("/v2/repository/models/m/unload", """{"parameters":{"unload_dependents":null}}""")]
    public async Task Repository_NullForWhatIsOptional_IsAsIfItWereNotThere(string path, string json) =>
        Assert.Equal(200, (await Host.PostAsync(path, json)).Status);
}
