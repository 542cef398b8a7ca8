using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Batching;
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

    public BatchingSettings Batching
    {
        get
        {
            OnBatching?.Invoke();
            return field;
        }

        init;
    } = BatchingSettings.None;

    /// <summary>Called by the queue, within its lock, when it is about to choose what runs next.</summary>
    public Action? OnBatching { get; set; }

    public int Levels { get; init; } = 1;

    /// <summary>Whether the runs that began were told that nothing else runs.</summary>
    public ConcurrentQueue<bool> Alone { get; } = [];

    /// <summary>Requests that a run of several leaves to run by themselves, by their first byte.</summary>
    public HashSet<int> Unfit { get; } = [];

    /// <summary>Runs that were under way at the same time, at most.</summary>
    public int MostAtOnce => Volatile.Read(ref _mostAtOnce);

    /// <summary>Whether a run has started that <see cref="NextAsync"/> has not given out.</summary>
    public bool HasMore => _started.Reader.Count > 0;

    /// <summary>What the last run by itself answered.</summary>
    public PayloadBuffer? Answer { get; private set; }

    /// <summary>The run that started next.</summary>
    public Task<GatedRun> NextAsync() => _started.Reader.ReadAsync().AsTask().Soon("the next run's start");

    public PayloadBuffer Run(PayloadBuffer message, bool alone, ReplicaMetrics metrics, out RunTimes times, CancellationToken cancellationToken)
    {
        Alone.Enqueue(alone);
        InGate([message.Span[0]], 1, out times);
        return Answer = PayloadBuffer.CopyOf(message.Span);
    }

    /// <summary>Of a message of bytes: the second is the rows, the third the level.</summary>
    public RequestFacts Read(PayloadBuffer message) => message.Span switch
    {
        [_, var rows, var level] => new RequestFacts(rows, level),
        [_, var rows] => new RequestFacts(rows, 0),
        _ => RequestFacts.Plain,
    };

    public void RunBatch(IReadOnlyList<BatchItem> items, bool alone, ReplicaMetrics metrics, Action<BatchRun> executed)
    {
        var fit = items.Where(item => !Unfit.Contains(item.Message.Span[0])).ToList();
        if (fit.Count < 2)
        {
            return;
        }

        var rows = fit.Sum(item => Read(item.Message).Rows);
        InGate([.. fit.Select(static item => (int)item.Message.Span[0])], rows, out var times);
        foreach (var item in fit)
        {
            item.Times = times with { Rows = Read(item.Message).Rows };
            item.Reply = InferReply.Success(PayloadBuffer.CopyOf(item.Message.Span));
        }

        executed(new BatchRun(times with { Rows = rows }, fit.Count));
    }

    /// <summary>Limits of the runs that were to end; they end when the test says so.</summary>
    public ConcurrentQueue<TimeSpan> Ended { get; } = [];

    public void EndRuns(TimeSpan longerThan, PayloadBuffer? of) => Ended.Enqueue(longerThan);

    private void InGate(int[] numbers, int rows, out RunTimes times)
    {
        var running = Interlocked.Increment(ref _running);
        for (int most; (most = MostAtOnce) < running;)
        {
            Interlocked.CompareExchange(ref _mostAtOnce, running, most);
        }

        var run = new GatedRun(numbers[0]) { Numbers = numbers, Rows = rows };
        _started.Writer.TryWrite(run);
        try
        {
            times = run.Wait();
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }
}
