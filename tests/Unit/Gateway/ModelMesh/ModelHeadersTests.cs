using Cluster.Contracts.Errors;
using Cluster.Gateway.ModelMesh;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class ModelHeadersTests
{
    [Theory]
    [InlineData("other", "x", null, null)]
    [InlineData("mm-model-id", "m", "m", null)]
    [InlineData("MM-Model-Id", "m", "m", null)]
    [InlineData("mm-vmodel-id", "a", null, "a")]
    [InlineData("mm-model-id-bin", "w6k=", "é", null)]
    [InlineData("mm-model-id-bin", "w6k", "é", null)]
    [InlineData("mm-vmodel-id-bin", "YQ", null, "a")]
    public void Read_OneHeader_NamesAModelOrAnAlias(string name, string value, string? model, string? alias) =>
        Assert.Equal(new ModelHeader(model, alias), ModelHeaders.Read(new HeaderDictionary { [name] = value }));

    [Theory]
    [InlineData("mm-model-id", "")]
    [InlineData("mm-vmodel-id", "")]
    [InlineData("mm-model-id-bin", "")]
    [InlineData("mm-model-id-bin", "?")]
    [InlineData("mm-model-id-bin", "/w==")]
    public void Read_UnreadableHeader_IsRefused(string name, string value) => AssertRefused(new HeaderDictionary { [name] = value }, name);

    [Theory]
    [InlineData("mm-model-id", "mm-vmodel-id")]
    [InlineData("mm-model-id", "mm-model-id-bin")]
    [InlineData("mm-model-id-bin", "mm-vmodel-id-bin")]
    public void Read_TwoHeaders_AreRefused(string first, string second) =>
        AssertRefused(new HeaderDictionary { [first] = "YQ", [second] = "YQ" }, second);

    [Fact]
    public void Read_LongHeader_IsRefusedWithoutItsValue() =>
        AssertRefused(new HeaderDictionary { ["mm-model-id"] = new string('x', 1025) }, "mm-model-id is longer than 1024 characters");

    [Fact]
    public void Read_HeaderGivenTwice_IsRefused() =>
        AssertRefused(new HeaderDictionary { ["mm-model-id"] = new StringValues(["a", "b"]) }, "given 2 times");

    private static void AssertRefused(HeaderDictionary headers, string expected)
    {
        var failure = Assert.Throws<ServingException>(() => ModelHeaders.Read(headers)).Failure;
        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }
}
