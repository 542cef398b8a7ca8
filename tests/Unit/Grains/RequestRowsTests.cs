using Cluster.Contracts.Buffers;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Grains.Sessions;
using Cluster.Tests.Common;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What a request claims makes others wait no longer than its bytes could.</summary>
public sealed class RequestRowsTests(OnnxBench bench) : IClassFixture<OnnxBench>, IDisposable
{
    private readonly ModelFolder _folder = ModelFolder.Create();

    [Theory]
    [InlineData(new[] { 3L, 4L }, 48, 3)]
    [InlineData(new[] { 100L, 4L }, 1600, 100)]
    [InlineData(new[] { 2147483647L, 4L }, 4, 1)]
    [InlineData(new[] { 4L, 4L }, 48, 1)]
    [InlineData(new[] { long.MaxValue, 4L }, 48, 1)]
    [InlineData(new[] { -3L, 4L }, 48, 1)]
    [InlineData(new[] { 0L, 4L }, 0, 1)]
    [InlineData(new[] { 12L }, 48, 1)]
    [InlineData(new[] { 12L, 1L }, 48, 1)]
    [InlineData(new long[0], 4, 1)]
    public async Task Read_RawRows_CountAsFarAsTheModelAndTheBytesBearThem(long[] shape, int bytes, int expected)
    {
        var model = await OpenAsync();

        Assert.Equal(expected, RowsOf(model, OnnxBench.Raw(("x", "FP32", shape, new byte[bytes]))));
    }

    [Theory]
    [InlineData(2, 8, 2)]
    [InlineData(1L << 40, 8, 1)]
    [InlineData(2, 0, 1)]
    public async Task Read_TypedRows_CountAsFarAsTheBytesBearThem(long rows, int elements, int expected)
    {
        var model = await OpenAsync();

        Assert.Equal(expected, RowsOf(model, OnnxBench.Typed(("x", "FP32", [rows, 4], new InferTensorContents { Fp32Contents = { new float[elements] } }))));
    }

    [Fact]
    public async Task Read_InputsThatAreNotTheModels_AreOneRow()
    {
        var model = await OpenAsync();
        var withoutBytes = OnnxBench.Raw(("nosuch", "FP32", [9], new byte[36]), ("x", "FP32", [5, 4], new byte[80]));
        withoutBytes.RawInputContents.RemoveAt(1);

        Assert.Equal(1, RowsOf(model, new ModelInferRequest()));
        Assert.Equal(1, RowsOf(model, OnnxBench.Raw(("nosuch", "FP32", [9, 4], new byte[144]))));
        Assert.Equal(1, RowsOf(model, withoutBytes));
    }

    public void Dispose() => _folder.Dispose();

    private static int RowsOf(LoadedModel model, ModelInferRequest request)
    {
        using var message = PayloadBuffer.CopyOf(request.ToByteArray());
        return model.Read(message).Rows;
    }

    private Task<LoadedModel> OpenAsync()
    {
        var path = Path.Combine(_folder.Path, "model.onnx");
        File.WriteAllBytes(path, OnnxFile.Sum(["n", "4"]));
        return bench.OpenFileAsync("m", path, settings: new ModelSettings { Batching = new BatchingSettings { MaxSize = 8 } });
    }
}
