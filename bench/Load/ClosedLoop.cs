using System.Diagnostics;
using Cluster.Bench.Measurement;
using HdrHistogram;

namespace Cluster.Bench.Load;

/// <summary>So many callers, each of which calls again when it is answered.</summary>
internal static class ClosedLoop
{
    private const int SignificantDigits = 3;
    private const double NanosecondsPerMicrosecond = 1000;
    private static readonly long LongestNanoseconds = (long)TimeSpan.FromMinutes(10).TotalNanoseconds;
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    /// <param name="call">Gets the caller's number, from 0. Throws where the answer is wrong.</param>
    /// <param name="serverProcesses">Whose processor time to state; empty for none.</param>
    public static async Task<LoadFigures> RunAsync(
        int callers, Func<int, ValueTask> call, LoadPlan plan, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var window = new Window();
        var running = Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(() => call(caller), window, stop.Token), CancellationToken.None)).ToList();
        try
        {
            // A caller that fails ends the load at once.
            await Task.WhenAny([Task.Delay(plan.WarmUp, cancellationToken), .. running]);
            var meter = new CpuMeter(serverProcesses);
            window.IsOpen = true;
            await Task.WhenAny([Task.Delay(plan.Duration, cancellationToken), .. running]);
            window.IsOpen = false;
            var cpu = meter.Read();
            await stop.CancelAsync();
            var latencies = new LongHistogram(LongestNanoseconds, SignificantDigits);
            foreach (var histogram in await Task.WhenAll(running))
            {
                latencies.Add(histogram);
            }

            cancellationToken.ThrowIfCancellationRequested();
            return LoadFigures.Of(cpu.Elapsed, latencies, NanosecondsPerMicrosecond, cpu, 0);
        }
        finally
        {
            await stop.CancelAsync();
        }
    }

    private static async Task<LongHistogram> CallAsync(Func<ValueTask> call, Window window, CancellationToken stop)
    {
        var latencies = new LongHistogram(LongestNanoseconds, SignificantDigits);
        while (!stop.IsCancellationRequested)
        {
            var start = Stopwatch.GetTimestamp();
            await call();
            if (window.IsOpen)
            {
                latencies.RecordValue(Math.Min(LongestNanoseconds, (long)((Stopwatch.GetTimestamp() - start) * NanosecondsPerTick)));
            }
        }

        return latencies;
    }

    private sealed class Window
    {
        private volatile bool _isOpen;

        public bool IsOpen
        {
            get => _isOpen;
            set => _isOpen = value;
        }
    }
}
