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
