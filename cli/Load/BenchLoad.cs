using System.Collections.Concurrent;

namespace Cluster.Cli.Load;

/// <summary>Sends the same request over and over, for a time.</summary>
/// <param name="send">Sends it once; says why it failed, or null.</param>
public sealed class BenchLoad(Func<CancellationToken, Task<string?>> send, TimeProvider time)
{
    /// <summary>Requests of an open loop that may wait for their answers at once; more would measure this process.</summary>
    public const int MostWaiting = 2048;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private int _waiting;

    /// <summary>So many callers, each of which calls again when it is answered.</summary>
    public async Task<BenchFigures> RunClosedAsync(int callers, TimeSpan duration, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var samples = await Task.WhenAll(Enumerable.Range(0, callers).Select(_ => Task.Run(() => CallAsync(start, duration, cancellationToken), cancellationToken)));
        return BenchFigures.Of([.. samples.SelectMany(static sample => sample)], time.GetElapsedTime(start));
    }

    /// <summary>So many requests a second by a fixed schedule, whether or not those before are answered: a stall makes each wait that is due meanwhile.</summary>
    public async Task<BenchFigures> RunOpenAsync(double rate, TimeSpan duration, CancellationToken cancellationToken)
    {
        var samples = new ConcurrentQueue<BenchSample>();
        var sending = new List<Task>();
        using var timer = new PeriodicTimer(Tick, time);
        var start = time.GetTimestamp();
        var total = (long)Math.Ceiling(rate * duration.TotalSeconds);
        for (var sent = 0L; sent < total || time.GetElapsedTime(start) < duration;)
        {
            for (var now = time.GetElapsedTime(start); sent < total && TimeSpan.FromSeconds(sent / rate) <= now; sent++)
            {
                sending.Add(SendDueAsync(start, TimeSpan.FromSeconds(sent / rate), samples, cancellationToken));
            }

            sending.RemoveAll(static task => task.IsCompletedSuccessfully);
            await timer.WaitForNextTickAsync(cancellationToken);
        }

        await Task.WhenAll(sending);
        return BenchFigures.Of(samples, time.GetElapsedTime(start));
    }

    private async Task<List<BenchSample>> CallAsync(long start, TimeSpan duration, CancellationToken cancellationToken)
    {
        var samples = new List<BenchSample>();
        while (time.GetElapsedTime(start) < duration)
        {
            var sent = time.GetTimestamp();
            var failure = await send(cancellationToken);
            samples.Add(new BenchSample(time.GetElapsedTime(sent), failure));
        }

        return samples;
    }

    private async Task SendDueAsync(long start, TimeSpan due, ConcurrentQueue<BenchSample> samples, CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > MostWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            samples.Enqueue(new BenchSample(TimeSpan.Zero, $"not sent: {MostWaiting} requests waited for their answers"));
            return;
        }

        await Task.Yield();
        var failure = await send(cancellationToken);
        Interlocked.Decrement(ref _waiting);
        samples.Enqueue(new BenchSample(time.GetElapsedTime(start) - due, failure));
    }
}
