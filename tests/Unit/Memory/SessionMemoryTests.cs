using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Tests.Common;
using Cluster.Unit.Grains;
using Cluster.Unit.Repository;
using Xunit;

namespace Cluster.Unit.Memory;

/// <summary>What sessions take, and runs of a model that takes as much memory as the request says.</summary>
public sealed class SessionMemoryTests(OnnxBench bench) : IClassFixture<OnnxBench>, IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Run_OneThatTakesMuch_IsMeasured()
    {
        var model = await OpenAsync(ModelSettings.Default);

        bench.Run(model, Request(1_000_000));

        Assert.InRange(model.RunMemory.Peak, 4_000_000, 5_000_000);
    }

    [Fact]
    public async Task Run_MoreThanItsModelMayTake_IsRefusedAndTheNextOneRuns()
    {
        var model = await OpenAsync(new ModelSettings { MaxRunBytes = 64L << 20 });

        var failure = bench.Refuse(model, Request(900_000_000));

        Assert.Equal((StatusCode.ResourceExhausted, null), (failure.Code, failure.RetryAfter));
        Assert.StartsWith("this run of model 'hungry' version 1 does not fit in memory: it held ", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("and asked for 3600000000 more. One run may take 67108864", failure.Message, StringComparison.Ordinal);
        Assert.Equal([5f], OnnxBench.Values<float>(bench.Run(model, Request(0)).RawOutputContents[0]));
    }

    [Fact]
    public async Task Load_ModelWithWeights_CountsThem()
    {
        var folder = Directory.CreateDirectory(_folder["sized"]).FullName;
        var path = Path.Combine(folder, "model.onnx");
        await File.WriteAllBytesAsync(path, OnnxModels.SlowToRun(1, 1));
        var model = await bench.OpenFileAsync("weights", path);

        // Two matrices of 256 × 256, one of them rearranged for the kernel.
        Assert.InRange(model.LoadedBytes, 1, 4L << 20);
    }

    private async Task<Cluster.Grains.Sessions.LoadedModel> OpenAsync(ModelSettings settings)
    {
        var path = _folder["hungry.onnx"];
        await File.WriteAllBytesAsync(path, OnnxModels.Hungry(5));
        return await bench.OpenFileAsync("hungry", path, settings: settings);
    }

    private static ModelInferRequest Request(float floats) => OnnxBench.Raw(("X", "FP32", [1], OnnxBench.Bytes(floats)));
}
