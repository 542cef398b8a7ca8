using System.Threading.Channels;
using Cluster.Contracts.Buffers;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;

namespace Cluster.Unit.Grains;

/// <summary>A model whose runs end when the test says so.</summary>
internal sealed class GatedModel(int concurrency) : IQueuedModel
{
    private readonly Channel<GatedRun> _started = Channel.CreateUnbounded<GatedRun>();
    private int _running;
    private int _mostAtOnce;

    public string Name => "gated";

    public long Version => 1;

    public int Concurrency => concurrency;

    /// <summary>Runs that were under way at the same time, at most.</summary>
    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    /// <summary>Whether a run has started that <see cref="NextAsync"/> has not given out.</summary>
    public bool HasMore => _started.Reader.Count > 0;

    /// <summary>The run that started next.</summary>
    public Task<GatedRun> NextAsync() => _started.Reader.ReadAsync().AsTask().Soon("the next run's start");

    public PayloadBuffer Run(
        SessionRunner runner, PayloadBuffer message, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken)
    {
        var running = Interlocked.Increment(ref _running);
        for (int most; (most = MostAtOnce) < running;)
        {
            Interlocked.CompareExchange(ref _mostAtOnce, running, most);
        }

        var run = new GatedRun(message.Span[0]);
        _started.Writer.TryWrite(run);
        try
        {
            times = run.Wait();
            return PayloadBuffer.CopyOf(message.Span);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
