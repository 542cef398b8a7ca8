using Cluster.Contracts.Protocol;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>Requests without any JSON.</summary>
public sealed class RawInferTests : RestServer
{
    private static readonly byte[] EightBytes = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [InlineData("FP32", new[] { -1L, 2L }, new[] { 1L, 2L })]
    [InlineData("FP32", new[] { 2L }, new[] { 2L })]
    [InlineData("INT8", new[] { -1L, -1L, 2L }, new[] { 1L, 4L, 2L })]
    public async Task Infer_JsonLengthZero_TakesTheBodyForTheOneInput(string datatype, long[] shape, long[] expected)
    {
        SetInput(datatype, shape);
        Host.Api.AnswerWith("INT8", [1], [9]);

        var answer = await Host.PostAsync(RestHost.InferPath, EightBytes, ("Inference-Header-Content-Length", "0"));

        Assert.Equal(200, answer.Status);
        var request = Host.Api.LastRequest!;
        Assert.Equal(("IN", datatype), (request.Inputs[0].Name, request.Inputs[0].Datatype));
        Assert.Equal(expected, request.Inputs[0].Shape);
        Assert.Equal(EightBytes, request.RawInputContents[0]);
        Assert.Equal([9], answer.Split().Tail);
    }

    [Fact]
    public async Task Infer_JsonLengthZeroForBytes_IsOneElement()
    {
        SetInput("BYTES", [-1, 1]);

        await Host.PostAsync(RestHost.InferPath, [0xFF, 0xD8], ("Inference-Header-Content-Length", "0"));

        Assert.Equal([1L, 1L], Host.Api.LastRequest!.Inputs[0].Shape);
        Assert.Equal("02000000FFD8", Convert.ToHexString(Host.Api.LastRequest.RawInputContents[0].Span));
    }

    [Theory]
    [InlineData("FP32", new[] { 2L, -1L, -1L }, "several dimensions")]
    [InlineData("FP32", new[] { -1L, 3L }, "multiple of 12 bytes")]
    [InlineData("FP32", new[] { -1L, 0L }, "multiple of 0 bytes")]
    [InlineData("BYTES", new[] { 2L }, "not of one element")]
    public async Task Infer_JsonLengthZeroForAnInputThatDoesNotFit_IsRefused(string datatype, long[] shape, string expected)
    {
        SetInput(datatype, shape);

        var answer = await Host.PostAsync(RestHost.InferPath, EightBytes, ("Inference-Header-Content-Length", "0"));

        Assert.Equal(400, answer.Status);
        Assert.Contains(expected, answer.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_JsonLengthZeroForSeveralInputs_IsRefused()
    {
        SetInput("FP32", [2]);
        Host.Api.Metadata.Inputs.Add(Host.Api.Metadata.Inputs[0]);

        var answer = await Host.PostAsync(RestHost.InferPath, EightBytes, ("Inference-Header-Content-Length", "0"));

        Assert.Equal(400, answer.Status);
        Assert.Contains("has 2", answer.Error, StringComparison.Ordinal);
    }

    private void SetInput(string datatype, long[] shape)
    {
        Host.Api.Metadata = new ModelMetadataResponse { Name = "m" };
        Host.Api.Metadata.Inputs.Add(new ModelMetadataResponse.Types.TensorMetadata { Name = "IN", Datatype = datatype, Shape = { shape } });
    }
}
