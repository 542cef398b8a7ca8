using System.Diagnostics;
using HdrHistogram;

namespace Cluster.Bench.Serving;

/// <summary>One load on one model. A failure is counted, not thrown: an overload is a measurement.</summary>
/// <param name="call">Sends one request; null for an answer, else what the server says against it.</param>
/// <param name="warmUp">Time before anything is counted.</param>
/// <param name="time">Time that is counted.</param>
internal sealed class LoadRun(Func<CancellationToken, Task<string?>> call, TimeSpan warmUp, TimeSpan time)
{
    private const int SignificantDigits = 3;

    /// <summary>With more unanswered the open loop sends no more: this process would run out of memory, not the server.</summary>
    private const int MaxInFlight = 20_000;

    private static readonly long LongestMicros = (long)TimeSpan.FromMinutes(10).TotalMicroseconds;

    private readonly LongConcurrentHistogram _answered = new(1, LongestMicros, SignificantDigits);
    private readonly LongConcurrentHistogram _refused = new(1, LongestMicros, SignificantDigits);
    private readonly SortedDictionary<string, long> _failed = new(StringComparer.Ordinal);
    private long _count;
    private int _inFlight;

    /// <summary>Answered so far.</summary>
    public long Answered => Interlocked.Read(ref _count);

    /// <summary>So many callers, each of which calls again when it is answered.</summary>
    public async Task<LoadPoint> CloseAsync(string protocol, int callers, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        var processors = MeasureProcessorsAsync(cancellationToken);
        await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(
            async () =>
            {
                while (Stopwatch.GetElapsedTime(start) is var now && now < warmUp + time)
                {
                    await SendAsync(start, now, cancellationToken);
                }
            },
            cancellationToken)));
        return Result(protocol, callers, 0, await processors);
    }

    /// <summary>A fixed rate, also while the requests before have no answer.</summary>
    public async Task<LoadPoint> OpenAsync(string protocol, double rate, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        var start = Stopwatch.GetTimestamp();
        var processors = MeasureProcessorsAsync(cancellationToken);
        var sending = new List<Task>();
        long sent = 0;
        while (Stopwatch.GetElapsedTime(start) < warmUp + time)
        {
            for (; TimeSpan.FromSeconds(sent / rate) <= Stopwatch.GetElapsedTime(start); sent++)
            {
                var due = TimeSpan.FromSeconds(sent / rate);
                if (Volatile.Read(ref _inFlight) >= MaxInFlight)
                {
                    Count(due, TimeSpan.Zero, $"not sent: {MaxInFlight} are unanswered");
                    continue;
                }

                sending.Add(Task.Run(() => SendAsync(start, due, cancellationToken), cancellationToken));
            }

            sending.RemoveAll(static task => task.IsCompletedSuccessfully);
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        await Task.WhenAll(sending);
        return Result(protocol, 0, rate, await processors);
    }

    /// <summary>Processors that this process takes on average in the counted time: what generates a load is missing to a server on the same machine.</summary>
    private async Task<double> MeasureProcessorsAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(warmUp, cancellationToken);
        var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        await Task.Delay(time, cancellationToken);
        return (Environment.CpuUsage.TotalTime - cpu) / Stopwatch.GetElapsedTime(start);
    }

    private async Task SendAsync(long start, TimeSpan due, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _inFlight);
        try
        {
            var failure = await call(cancellationToken);
            Count(due, Stopwatch.GetElapsedTime(start) - due, failure);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private void Count(TimeSpan due, TimeSpan took, string? failure)
    {
        if (due < warmUp)
        {
            return;
        }

        var micros = Math.Clamp((long)took.TotalMicroseconds, 1, LongestMicros);
        if (failure is null)
        {
            Interlocked.Increment(ref _count);
            _answered.RecordValue(micros);
            return;
        }

        _refused.RecordValue(micros);
        lock (_failed)
        {
            _failed[failure] = _failed.GetValueOrDefault(failure) + 1;
        }
    }

    private LoadPoint Result(string protocol, int callers, double rate, double processors)
    {
        var (answered, refused) = (new LongHistogram(LongestMicros, SignificantDigits), new LongHistogram(LongestMicros, SignificantDigits));
        answered.Add(_answered);
        refused.Add(_refused);
        return LoadPoint.Of(protocol, callers, rate, time, answered, refused, _failed) with { ClientProcessors = processors };
    }
}
