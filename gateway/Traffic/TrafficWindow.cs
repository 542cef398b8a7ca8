using System.Numerics;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Gateway.Traffic;

/// <summary>Counts of the last while, which go a tenth of it at a time. Safe from any thread.</summary>
internal sealed class TrafficWindow
{
    private const int Slices = 10;

    private readonly Lock _lock = new();
    private readonly Slice[] _slices;
    private readonly bool _keepsLatencies;
    private readonly TimeProvider _time;
    private readonly long _ticks;

    /// <param name="keepsLatencies">Whether there are percentiles, for which each latency has to be counted; else they are zero.</param>
    public TrafficWindow(TimeSpan length, bool keepsLatencies, TimeProvider time)
    {
        _time = time;
        _keepsLatencies = keepsLatencies;
        _slices = [.. Enumerable.Range(0, Slices).Select(_ => new Slice(keepsLatencies))];
        _ticks = Math.Max(1, (long)(length.TotalSeconds * time.TimestampFrequency / Slices));
    }

    /// <param name="isCandidate">Whether the candidate was asked.</param>
    public void Add(bool isCandidate, bool failed, TimeSpan elapsed)
    {
        lock (_lock)
        {
            var slice = NowLocked();
            (isCandidate ? slice.Candidate : slice.Active).Add(failed, elapsed);
        }
    }

    public void AddComparison(bool differs)
    {
        lock (_lock)
        {
            var slice = NowLocked();
            slice.Compared++;
            slice.Different += differs ? 1 : 0;
        }
    }

    public TrafficFigures Read()
    {
        var sum = new Slice(_keepsLatencies);
        lock (_lock)
        {
            var now = _time.GetTimestamp() / _ticks;
            foreach (var slice in _slices)
            {
                if (slice.Number > now - Slices)
                {
                    sum.Add(slice);
                }
            }
        }

        return new TrafficFigures(sum.Active.Read(), sum.Candidate.Read(), sum.Compared, sum.Different);
    }

    private Slice NowLocked()
    {
        var number = _time.GetTimestamp() / _ticks;
        var slice = _slices[number % Slices];
        if (slice.Number != number)
        {
            slice.Begin(number);
        }

        return slice;
    }

    private sealed class Slice(bool keepsLatencies)
    {
        public long Number { get; private set; } = long.MinValue;

        public Leg Active { get; } = new(keepsLatencies);

        public Leg Candidate { get; } = new(keepsLatencies);

        public long Compared { get; set; }

        public long Different { get; set; }

        public void Begin(long number)
        {
            Number = number;
            Active.Clear();
            Candidate.Clear();
            Compared = Different = 0;
        }

        public void Add(Slice other)
        {
            Active.Add(other.Active);
            Candidate.Add(other.Candidate);
            Compared += other.Compared;
            Different += other.Different;
        }
    }

    private sealed class Leg(bool keepsLatencies)
    {
        private readonly LatencyCounts? _latencies = keepsLatencies ? new() : null;
        private long _answered;
        private long _failed;
        private TimeSpan _total;

        public void Add(bool failed, TimeSpan elapsed)
        {
            if (failed)
            {
                _failed++;
                return;
            }

            _answered++;
            _total += elapsed;
            _latencies?.Add(elapsed);
        }

        public void Add(Leg other)
        {
            _answered += other._answered;
            _failed += other._failed;
            _total += other._total;
            if (other._latencies is { } latencies)
            {
                _latencies?.Add(latencies);
            }
        }

        public void Clear()
        {
            _answered = _failed = 0;
            _total = TimeSpan.Zero;
            _latencies?.Clear();
        }

        public LegFigures Read() => new(_answered, _failed, _answered == 0 ? TimeSpan.Zero : _total / _answered, _latencies?.Percentile(99) ?? TimeSpan.Zero);
    }
}

/// <summary>Counts of latencies, 1 µs to 35 minutes, in steps of at most an eighth. One caller at a time.</summary>
internal sealed class LatencyCounts
{
    private const int StepBits = 3;
    private const int Steps = 1 << StepBits;
    private const int Octaves = 28;

    private readonly int[] _counts = new int[Steps * (Octaves + 1)];

    public void Add(TimeSpan latency) => _counts[IndexOf(Math.Max(0, (long)latency.TotalMicroseconds))]++;

    public void Add(LatencyCounts other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }
    }

    public void Clear() => Array.Clear(_counts);

    /// <summary>What so many of a hundred do not exceed, at most an eighth too high; zero where nothing was counted.</summary>
    public TimeSpan Percentile(int percent)
    {
        var total = _counts.Sum();
        var rank = (long)Math.Ceiling(total * (percent / 100.0));
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (_counts[i] > 0 && seen >= rank)
            {
                return TimeSpan.FromMicroseconds(UpperBound(i));
            }
        }

        return TimeSpan.Zero;
    }

    private int IndexOf(long microseconds)
    {
        if (microseconds < Steps)
        {
            return (int)microseconds;
        }

        var octave = BitOperations.Log2((ulong)microseconds) - StepBits;
        return Math.Min(_counts.Length - 1, ((octave + 1) * Steps) + (int)((microseconds >> octave) & (Steps - 1)));
    }

    private static long UpperBound(int index) => index < Steps ? index : ((Steps + (index % Steps) + 1L) << ((index / Steps) - 1)) - 1;
}

/// <summary>What a gateway measured of a rule within its window.</summary>
/// <param name="Compared">Answers of the candidate that were compared.</param>
/// <param name="Different">Those of them that differ.</param>
internal sealed record TrafficFigures(LegFigures Active, LegFigures Candidate, long Compared, long Different);

/// <summary>Figures of one of the two ways. Latencies are those of answered requests; zero where there is none.</summary>
internal sealed record LegFigures(long Answered, long Failed, TimeSpan Mean, TimeSpan P99)
{
    public long Requests => Answered + Failed;

    /// <summary>0 to 1.</summary>
    public double ErrorRate => Requests == 0 ? 0 : (double)Failed / Requests;
}

/// <summary>The way that a request goes.</summary>
internal enum TrafficLeg
{
    /// <summary>To the active model, whose answer the client gets.</summary>
    Active,

    /// <summary>To the candidate, whose answer the client gets.</summary>
    Candidate,

    /// <summary>A copy, to the candidate.</summary>
    Shadow,
}

/// <summary>How a request ended, as a rule counts it.</summary>
internal enum TrafficOutcome
{
    Success,

    /// <summary>The model or the cluster failed, or the deadline passed.</summary>
    Failure,

    /// <summary>The request was wrong: its client's fault, which counts against no model.</summary>
    Refused,

    /// <summary>Its client gave up before its deadline.</summary>
    Cancelled,
}

/// <summary>From replies to outcomes.</summary>
internal static class TrafficOutcomes
{
    /// <summary>What a token ends may be a moment early by another clock.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(20);

    /// <param name="timeout">How long the request may have taken; null for no limit.</param>
    public static TrafficOutcome Of(InferReply reply, TimeSpan? timeout, TimeSpan elapsed) => reply.Failure?.Code switch
    {
        null => TrafficOutcome.Success,
        StatusCode.InvalidArgument or StatusCode.OutOfRange or StatusCode.PermissionDenied or StatusCode.Unauthenticated => TrafficOutcome.Refused,
        StatusCode.Cancelled => elapsed + Slack >= timeout ? TrafficOutcome.Failure : TrafficOutcome.Cancelled,
        _ => TrafficOutcome.Failure,
    };
}
