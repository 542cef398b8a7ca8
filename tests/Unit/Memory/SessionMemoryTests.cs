using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Grains.Memory;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;
using Cluster.Tests.Common;
using Cluster.Unit.Grains;
using Cluster.Unit.Repository;
using Google.Protobuf;
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

    /// <summary>What failed is named after the node that wanted memory, ConstantOfShape: that says nothing of the shapes of outputs.</summary>
    [Fact]
    public async Task Run_MemoryIsShortForAMoment_IsToldToTryAgainAndChangesNothing()
    {
        var model = await OpenAsync(ModelSettings.Default);

        var failure = WithoutLargeBlocks(() => bench.Refuse(model, Request(2_000_000)), times: 2);

        Assert.Equal((StatusCode.ResourceExhausted, TimeSpan.FromSeconds(1)), (failure.Code, failure.RetryAfter));
        Assert.True(model.ShapesAreTruthful);
        Assert.Equal([5f], OnnxBench.Values<float>(bench.Run(model, Request(2_000_000)).RawOutputContents[0]));
    }

    [Fact]
    public async Task RunBatch_MemoryIsShortForAMoment_TheNextRequestsRunTogether()
    {
        var model = await OpenAsync(OnnxFile.Sum(["n", "s"]), new ModelSettings { Batching = new BatchingSettings { MaxSize = 8 } });

        var alone = WithoutLargeBlocks(() => RunTogether(model, columns: 700_000));
        var together = RunTogether(model, columns: 700_000);

        Assert.All(alone, static item => Assert.Null(item.Reply));
        Assert.True(model.Batching.IsOn);
        Assert.All(together, static item => Assert.True(item.Reply!.Succeeded));
    }

    [Fact]
    public async Task RunBatch_MoreThanItsModelMayTake_NoBatchFollows()
    {
        var settings = new ModelSettings { MaxRunBytes = 10_000, Batching = new BatchingSettings { MaxSize = 8 } };
        var model = await OpenAsync(OnnxFile.Doubling(["n", "s"], ["m", "s"]), settings);

        var items = RunTogether(model, columns: 1000);

        Assert.All(items, static item => Assert.Null(item.Reply));
        Assert.False(model.Batching.IsOn);
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

    private Task<LoadedModel> OpenAsync(ModelSettings settings) => OpenAsync(OnnxModels.Hungry(5), settings);

    private async Task<LoadedModel> OpenAsync(byte[] model, ModelSettings settings)
    {
        var path = _folder["hungry.onnx"];
        await File.WriteAllBytesAsync(path, model);
        return await bench.OpenFileAsync("hungry", path, settings: settings);
    }

    /// <summary>Two requests of one row each, by one run if that has the memory.</summary>
    private List<BatchItem> RunTogether(LoadedModel model, int columns)
    {
        var request = OnnxBench.Raw(("x", "FP32", [1, columns], new byte[columns * sizeof(float)])).ToByteArray();
        var items = Enumerable.Range(0, 2).Select(_ => new BatchItem(PayloadBuffer.CopyOf(request), CancellationToken.None)).ToList();
        using var runner = new SessionRunner(TimeProvider.System);
        model.RunBatch(runner, items, alone: false, bench.Metrics, static _ => { });
        items.ForEach(static item => item.Message.Dispose());
        return items;
    }

    /// <summary>The pool is that of the process: blocks of 4 MiB and more are refused to this thread alone.</summary>
    /// <param name="times">The first so many questions whether there is memory are answered no.</param>
    private static T WithoutLargeBlocks<T>(Func<T> run, int times = int.MaxValue)
    {
        var thread = Environment.CurrentManagedThreadId;
        var before = OnnxAllocator.Pool.HasLeft;
        OnnxAllocator.Pool.HasLeft = bytes => (Environment.CurrentManagedThreadId != thread || --times < 0) && before(bytes);
        try
        {
            return run();
        }
        finally
        {
            OnnxAllocator.Pool.HasLeft = before;
        }
    }

    private static ModelInferRequest Request(float floats) => OnnxBench.Raw(("X", "FP32", [1], OnnxBench.Bytes(floats)));
}
