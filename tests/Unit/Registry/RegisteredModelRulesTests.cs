using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Xunit;

namespace Cluster.Unit.Registry;

public sealed class RegisteredModelRulesTests
{
    [Theory]
    [InlineData("onnx", "v1", "")]
    [InlineData("mt:onnx", "a/b/c.onnx", "{}")]
    [InlineData("mt:onnx:1.12|pv:grpc-v2", "./v1/", "{\"concurrency\":2}")]
    [InlineData("rt:triton-2.x", "a..b", "")]
    public void Check_WhatIsAllowed_Passes(string type, string path, string key) => RegisteredModelRules.Check("m", new RegisteredInfo(type, path, key));

    [Theory]
    [InlineData("", "v1", "", "type is empty")]
    [InlineData("mt:tensorflow", "v1", "", "'mt:tensorflow' is not served here")]
    [InlineData("mt:onnxx", "v1", "", "not served here")]
    [InlineData("rt:", "v1", "", "not served here")]
    [InlineData("ONNX", "v1", "", "not served here")]
    [InlineData("onnx", "", "", "path is empty")]
    [InlineData("onnx", "/etc/v1", "", "absolute")]
    [InlineData("onnx", "a/../../v1", "", "has '..'")]
    [InlineData("onnx", "..", "", "has '..'")]
    [InlineData("onnx", "a\\v1", "", "backslash")]
    [InlineData("onnx", "a\0b", "", "control character")]
    [InlineData("onnx", "gs://bucket/v1", "", "a store that is not read")]
    [InlineData("onnx", "v1", "{", "no model.json")]
    [InlineData("onnx", "v1", "{\"threads\":1}", "unknown key 'threads'")]
    [InlineData("onnx", "v1", "{\"concurrency\":-1}", "'concurrency'")]
    public void Check_WhatIsNot_SaysWhy(string type, string path, string key, string expected)
    {
        var failure = Assert.Throws<ServingException>(() => RegisteredModelRules.Check("m", new RegisteredInfo(type, path, key))).Failure;

        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("line\nbreak")]
    public void CheckName_OfNoModel_IsRefused(string name)
    {
        var failure = Assert.Throws<ServingException>(() => RegisteredModelRules.CheckName(name, "alias")).Failure;

        Assert.Equal(StatusCode.InvalidArgument, failure.Code);
        Assert.StartsWith("the alias name", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_Model_IsTheSameInEveryProcess()
    {
        // Stored states are found by these.
        Assert.Equal("5", RegistryShards.Of(""));
        Assert.Equal(RegistryShards.Of("résumé"), RegistryShards.Of("résumé"));
        Assert.Equal(64, RegistryShards.All.Distinct().Count());
    }
}
