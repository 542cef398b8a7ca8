using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>Counts what one replica does. Safe from any thread; a request is counted as a whole or not at all, and so is a run.</summary>
internal sealed class ReplicaStatisticsRecorder(TimeProvider time)
{
    /// <summary>Batch sizes are the clients' choice; their number must not be.</summary>
    private const int MaxBatchSizes = 128;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, BatchTotals> _batches = [];
    private BatchTotals? _lastBatch;
    private DateTimeOffset? _lastInference;
    private long _rows;
    private long _executions;
    private long _answeredByRuns;
    private long _runNanoseconds;
    private DurationTotal _success;
    private DurationTotal _fail;
    private DurationTotal _cancel;
    private DurationTotal _queue;
    private DurationTotal _input;
    private DurationTotal _infer;
    private DurationTotal _output;
    private DurationTotal _cacheHit;
    private DurationTotal _cacheMiss;

    /// <summary>Counts a run of the session that answered one request or several.</summary>
    /// <param name="requests">Answered by it.</param>
    public void Executed(in RunTimes run, int requests = 1)
    {
        lock (_gate)
        {
            ExecutedLocked(run, requests);
        }
    }

    /// <summary>Counts an answered request; durations in nanoseconds.</summary>
    /// <param name="run">The times of the run that answered it, and its own rows.</param>
    public void Succeeded(long total, long queued, in RunTimes run)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            SucceededLocked(total, queued, run, now);
        }
    }

    /// <summary>Counts a run that answered one request, and that request.</summary>
    /// <inheritdoc cref="Succeeded" path="/param"/>
    public void ExecutedAlone(long total, long queued, in RunTimes run)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            ExecutedLocked(run, 1);
            SucceededLocked(total, queued, run, now);
        }
    }

    /// <summary>Counts a request that was answered without a run; durations in nanoseconds.</summary>
    public void Found(long total)
    {
        var now = time.GetUtcNow();
        lock (_gate)
        {
            _lastInference = now;
            _success += new DurationTotal(1, total);
            _cacheHit += new DurationTotal(1, total);
        }
    }

    /// <summary>Counts a look at the kept answers that found none; duration in nanoseconds.</summary>
    public void Missed(long look)
    {
        lock (_gate)
        {
            _cacheMiss += new DurationTotal(1, look);
        }
    }

    /// <summary>Counts a request without an answer; duration in nanoseconds.</summary>
    public void Failed(long total)
    {
        lock (_gate)
        {
            _fail += new DurationTotal(1, total);
        }
    }

    /// <summary>Counts a request whose caller gave up; duration in nanoseconds.</summary>
    public void Cancelled(long total)
    {
        lock (_gate)
        {
            _cancel += new DurationTotal(1, total);
        }
    }

    public ReplicaTotals ReadTotals()
    {
        lock (_gate)
        {
            return new ReplicaTotals(_success.Count + _fail.Count + _cancel.Count, _answeredByRuns, _runNanoseconds);
        }
    }

    public ReplicaStatistics Read()
    {
        lock (_gate)
        {
            return new ReplicaStatistics
            {
                LastInference = _lastInference,
                InferenceCount = _rows,
                ExecutionCount = _executions,
                Success = _success,
                Fail = _fail,
                Cancel = _cancel,
                Queue = _queue,
                ComputeInput = _input,
                ComputeInfer = _infer,
                ComputeOutput = _output,
                CacheHit = _cacheHit,
                CacheMiss = _cacheMiss,
                Batches = _batches.ToImmutableSortedDictionary(static batch => batch.Key, static batch => batch.Value.Totals),
            };
        }
    }

    private void ExecutedLocked(in RunTimes run, int requests)
    {
        _executions++;
        _answeredByRuns += requests;
        _runNanoseconds += run.Total;
        if (_lastBatch?.Rows != run.Rows && !_batches.TryGetValue(run.Rows, out _lastBatch) && _batches.Count < MaxBatchSizes)
        {
            _batches.Add(run.Rows, _lastBatch = new BatchTotals(run.Rows));
        }

        _lastBatch?.Add(run);
    }

    private void SucceededLocked(long total, long queued, in RunTimes run, DateTimeOffset now)
    {
        _lastInference = now;
        _rows += run.Rows;
        _success += new DurationTotal(1, total);
        _queue += new DurationTotal(1, queued);
        _input += new DurationTotal(1, run.Input);
        _infer += new DurationTotal(1, run.Infer);
        _output += new DurationTotal(1, run.Output);
    }

    /// <summary>Of the runs of one number of rows.</summary>
    private sealed class BatchTotals(long rows)
    {
        private DurationTotal _input;
        private DurationTotal _infer;
        private DurationTotal _output;

        public long Rows => rows;

        public BatchStatistics Totals => new(_input, _infer, _output);

        public void Add(in RunTimes run)
        {
            _input += new DurationTotal(1, run.Input);
            _infer += new DurationTotal(1, run.Infer);
            _output += new DurationTotal(1, run.Output);
        }
    }
}

/// <summary>What a replica has done, in short.</summary>
/// <param name="Requests">Answered, refused, failed or given up.</param>
/// <param name="Runs">Requests that a run answered.</param>
/// <param name="RunNanoseconds">Of all these runs together; one that answered several counts once.</param>
internal readonly record struct ReplicaTotals(long Requests, long Runs, long RunNanoseconds)
{
    public static ReplicaTotals operator +(ReplicaTotals left, ReplicaTotals right) =>
        new(left.Requests + right.Requests, left.Runs + right.Runs, left.RunNanoseconds + right.RunNanoseconds);

    public static ReplicaTotals operator -(ReplicaTotals left, ReplicaTotals right) =>
        new(left.Requests - right.Requests, left.Runs - right.Runs, left.RunNanoseconds - right.RunNanoseconds);
}
