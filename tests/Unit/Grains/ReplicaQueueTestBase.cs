using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Metrics;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Metrics;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>Queues in front of a <see cref="GatedModel"/>.</summary>
public abstract class ReplicaQueueTestBase : IDisposable
{
    private readonly ReplicaStatisticsRecorder _statistics;
    private readonly ReplicaMetrics _metrics;

    protected ReplicaQueueTestBase()
    {
        Workers = new InferenceWorkers(new InferenceOptions { Threads = 8 }, Time);
        _statistics = new ReplicaStatisticsRecorder(Time);
        _metrics = new ReplicaMetricsFactory(Metrics.Registry).Create("gated", 1, 1, 1);
    }

    internal ManualTimeProvider Time { get; } = new();

    internal MetricsHost Metrics { get; } = new();

    internal LogSink Logged { get; } = new();

    internal InferenceWorkers Workers { get; }

    internal ReplicaStatistics Statistics => _statistics.Read();

    internal ReplicaTotals Totals => _statistics.ReadTotals();

    public void Dispose()
    {
        _metrics.Dispose();
        Metrics.Dispose();
        Logged.Dispose();
        Workers.Dispose();
        GC.SuppressFinalize(this);
    }

    internal static async Task<GatedRun> NextAsync(GatedModel model, int number)
    {
        var run = await model.NextAsync();
        Assert.Equal(number, run.Number);
        return run;
    }

    internal ReplicaQueue Queue(GatedModel model, int limit = 100, TimeSpan? longestWait = null, long maxBytes = long.MaxValue, TimeSpan stuckAfter = default) =>
        new(model, limit, longestWait, Workers, _statistics, _metrics, Time, Logged.CreateLogger("queue")) { MaxBytes = maxBytes, StuckAfter = stuckAfter };

    internal static Task<InferReply> Enqueue(ReplicaQueue queue, int number, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        queue.EnqueueAsync(new InferRequest { Message = PayloadBuffer.CopyOf([(byte)number]), Timeout = timeout }, cancellationToken).AsTask();
}
