using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Protocol;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.OpenVino;
using Cluster.Grains.Registry;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Trust;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Google.Protobuf;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>A replica's queue with a real session behind it, under requests and models that are legal and mean no good.</summary>
public sealed class HostileRequestTests : IAsyncDisposable
{
    private readonly MetricsHost _metricsHost = new();
    private readonly SessionFactory _sessions =
        new(new OnnxEnvironment(new MemoryOptions(), TimeProvider.System, NullLogger<OnnxEnvironment>.Instance), new CompiledGraphs(new OpenVinoOptions(), new InMemoryRegistrations(), new InMemoryServingStates(), TimeProvider.System, NullLogger<CompiledGraphs>.Instance), OnnxBench.NewReader(CheckedFile.Open), TimeProvider.System, NullLogger<SessionFactory>.Instance);

    private readonly InferenceWorkers _workers = new(new InferenceOptions { Threads = 2 }, TimeProvider.System);
    private readonly ReplicaStatisticsRecorder _statistics = new(TimeProvider.System);
    private LoadedModel? _model;
    private ReplicaMetrics? _metrics;
    private ReplicaQueue? _queue;

    /// <summary>What was in that memory before may be another client's.</summary>
    [Fact]
    public async Task Infer_OutputThatTheRuntimeDoesNotWrite_IsTheValueAndNotOldMemory()
    {
        await OpenAsync("pass_through");
        var request = Request("x", [2], new byte[] { 0, 0, 128, 63, 0, 0, 0, 64 });
        for (var i = 0; i < 8; i++)
        {
            Scribble();
            var answer = await AnswerAsync(request);

            Assert.Equal(["y", "x", "y"], answer.Outputs.Select(output => output.Name));
            Assert.Equal(
                ["-1 -2", "1 2", "-1 -2"],
                answer.RawOutputContents.Select(raw => $"{BitConverter.ToSingle(raw.Span)} {BitConverter.ToSingle(raw.Span[4..])}"));
        }
    }

    [Theory]
    [InlineData(1L << 62)]
    [InlineData(3)]
    public async Task Infer_ClassesOfRowsWithoutColumns_AnswersAtOnce(long rows)
    {
        await OpenAsync("identity_fp32");
        var request = Request("INPUT0", [rows, 0], []);
        request.Outputs.Add(new ModelInferRequest.Types.InferRequestedOutputTensor
        {
            Name = "OUTPUT0",
            Parameters = { ["classification"] = new InferParameter { Int64Param = 1 } },
        });

        var answer = await AnswerAsync(request);

        Assert.Equal([rows, 0], answer.Outputs[0].Shape);
        Assert.Empty(answer.RawOutputContents[0]);
    }

    [Fact]
    public async Task Infer_RowsWithoutElements_AreNotCounted()
    {
        await OpenAsync("identity_fp32");

        await AnswerAsync(Request("INPUT0", [1L << 62, 0], []));
        await AnswerAsync(Request("INPUT0", [3, 1], new byte[12]));

        var statistics = _statistics.Read();
        Assert.Equal(3, statistics.InferenceCount);
        Assert.Equal(2, statistics.ExecutionCount);
    }

    /// <summary>A thread that cannot be started is the case in production; threads that have stopped refuse work the same way.</summary>
    [Fact]
    public async Task Enqueue_ThreadsRefuse_TakesNoSlot()
    {
        await OpenAsync("identity_fp32");
        _workers.Dispose();
        using var message = PayloadBuffer.CopyOf(Request("INPUT0", [1, 1], new byte[4]).ToByteArray());

        Assert.Throws<ObjectDisposedException>(() => { _ = _queue!.EnqueueAsync(new InferRequest { Message = message }, CancellationToken.None).AsTask(); });

        await _queue!.DrainAsync().Soon();
    }

    public async ValueTask DisposeAsync()
    {
        if (_queue is not null)
        {
            await _queue.DrainAsync().Soon();
        }

        _workers.Dispose();
        _model?.Dispose();
        _metrics?.Dispose();
        _sessions.Dispose();
        _metricsHost.Dispose();
    }

    private static ModelInferRequest Request(string input, long[] shape, byte[] raw) => new()
    {
        Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = input, Datatype = "FP32", Shape = { shape } } },
        RawInputContents = { ByteString.CopyFrom(raw) },
    };

    /// <summary>Leaves something to be found in the memory that the next answer gets.</summary>
    private static void Scribble()
    {
        foreach (var size in new[] { 64, 128, 256 })
        {
            using var buffer = PayloadBuffer.Rent(size);
            buffer.Span.Fill(0x41);
        }
    }

    private async Task OpenAsync(string model)
    {
        _model = await _sessions.OpenAsync(model, OnnxBench.Spec(Path.Combine(TestPaths.TestModels, model, "1", "model.onnx")), CancellationToken.None);
        _metrics = new ReplicaMetricsFactory(_metricsHost.Registry).Create(model, 1, 1, 1);
        _queue = new ReplicaQueue(_model, 10, null, _workers, _statistics, _metrics, TimeProvider.System, NullLogger.Instance);
    }

    private async Task<ModelInferResponse> AnswerAsync(ModelInferRequest request)
    {
        using var message = PayloadBuffer.CopyOf(request.ToByteArray());
        var reply = await _queue!.EnqueueAsync(new InferRequest { Message = message }, CancellationToken.None).AsTask().Soon();
        Assert.Null(reply.Failure);
        using var answer = reply.Message!;
        return ModelInferResponse.Parser.ParseFrom(answer.Span);
    }
}
