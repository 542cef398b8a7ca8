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
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"bucket\":null,\"storage_params\":{},\"disk_size_bytes\":1,\"concurrency\":2}")]
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
    [InlineData("onnx", "s3://bucket", "", "not of the form")]
    [InlineData("onnx", "s3://bucket/a/../v1", "", "not of the form")]
    [InlineData("onnx", "v1", "{", "no model.json")]
    [InlineData("onnx", "v1", "{\"threads\":1}", "unknown key 'threads'")]
    [InlineData("onnx", "v1", "{\"concurrency\":-1}", "'concurrency'")]
    [InlineData("onnx", "v1", "{\"concurrency\":1,\"concurrency\":8}", "'concurrency' is given twice")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"concurrency\":1,\"concurrency\":8}", "'concurrency' is given twice")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"storage_key\":\"other\"}", "'storage_key' is given twice")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"batching\":{\"max_size\":2,\"max_size\":4}}", "'batching.max_size' is given twice")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"bucket\":5}", "'bucket' is 5; expected a string")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"storage_params\":[\"models\"]}", "'storage_params' is an array; expected an object")]
    [InlineData("onnx", "v1", "{\"storage_key\":\"minio\",\"storage_params\":{\"bucket\":true}}", "'storage_params.bucket' is true; expected a string")]
    [InlineData("onnx", "v1", "{\"storage_key\":5}", "unknown key 'storage_key'")]
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
