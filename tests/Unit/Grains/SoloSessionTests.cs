using Cluster.Contracts.Buffers;
using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;
using Cluster.Tests.Common;
using Google.Protobuf;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>The session with all cores that serves requests which are alone.</summary>
public sealed class SoloSessionTests(OnnxBench bench) : IClassFixture<OnnxBench>
{
    private static ModelSettings Auto => new();

    [Theory]
    [InlineData(PerformanceHint.Auto, 0, 4, 4)]
    [InlineData(PerformanceHint.Auto, 0, 1, 0)]
    [InlineData(PerformanceHint.Auto, 2, 4, 0)]
    [InlineData(PerformanceHint.Throughput, 0, 4, 0)]
    [InlineData(PerformanceHint.Latency, 0, 4, 0)]
    public void Threads_OfARequestThatIsAlone_AreAllWhereNothingElseIsSaid(PerformanceHint hint, int threads, int cores, int expected) =>
        Assert.Equal(expected, Parallelism.DeriveAlone(new ModelSettings { PerformanceHint = hint, IntraOpThreads = threads }, cores));

    [Fact]
    public async Task Runs_AloneAndLong_AskForItOnceAndThenUseIt()
    {
        Assert.SkipUnless(Environment.ProcessorCount > 1, "with one processor a request that is alone has no more of them");
        var model = await bench.OpenAsync("slow", settings: Auto);
        var wanted = 0;
        model.SoloWanted = () => wanted++;
        using var request = PayloadBuffer.CopyOf(OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(100L))).ToByteArray());
        for (var i = 0; i < 20; i++)
        {
            Run(alone: false);
        }

        Assert.Equal(0, wanted);
        var before = Run(alone: true);
        for (var i = 0; i < 20; i++)
        {
            Run(alone: true);
        }

        Assert.Equal(1, wanted);
        Assert.True(await bench.AddSoloAsync(model, "slow", Auto));
        Assert.InRange(model.SoloBytes, 1, long.MaxValue);
        Assert.Equal(before, Run(alone: true));
        Assert.Equal(before, Run(alone: false));

        byte[] Run(bool alone)
        {
            using var answer = model.Run(request, alone, bench.Metrics, out _, CancellationToken.None);
            return answer.Span.ToArray();
        }
    }

    /// <summary>A load that serves only after it must not wait for another model's session.</summary>
    [Fact]
    public async Task Added_WhileAnotherIsBeingMade_WaitsOnlyWhereItMay()
    {
        var model = await bench.OpenAsync("identity_fp32", settings: Auto);
        using var opening = new HeldOpening();
        using var sessions = bench.NewSessions(OnnxBench.NewReader(opening.Open));
        var spec = OnnxBench.Spec(Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), settings: Auto);
        var first = AddAsync(waits: true, fits: true);
        await opening.Begun.Soon();

        Assert.False(await AddAsync(waits: false, fits: true).Soon());
        var patient = AddAsync(waits: true, fits: false);
        Assert.False(patient.IsCompleted);
        opening.Release();

        Assert.True(await first.Soon());
        Assert.False(await patient.Soon());

        Task<bool> AddAsync(bool waits, bool fits) => sessions.AddSoloAsync(model, spec, waits, () => fits, static () => { }, CancellationToken.None);
    }

    [Fact]
    public async Task Added_AfterTheModelHasEnded_IsDisposedOf()
    {
        var model = await bench.OpenAsync("identity_fp32", settings: Auto);
        model.Dispose();

        Assert.False(await bench.AddSoloAsync(model, "identity_fp32", Auto));
    }
}
