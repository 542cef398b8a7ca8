using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Bench.Measurement;

namespace Cluster.Bench.Attacks;

/// <summary>Sends one REST request by a fixed schedule and checks the answers. A latency counts from when its request was due, so that a stall is seen.</summary>
/// <param name="key">Its API key; empty where the server asks for none.</param>
internal sealed class BehavedClient(Uri url, BehavedRequest request, string key, int rate) : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    public void Dispose() => _http.Dispose();

    /// <summary>Sends for a time, and waits for the answers.</summary>
    public async Task<BehavedFigures> SendAsync(TimeSpan time, CancellationToken cancellationToken)
    {
        var waits = new ConcurrentBag<double>();
        var failures = new ConcurrentBag<string>();
        var sending = new List<Task>();
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(Tick);
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            while (sending.Count / (double)rate <= Stopwatch.GetElapsedTime(start).TotalSeconds)
            {
                var due = TimeSpan.FromSeconds(sending.Count / (double)rate);
                sending.Add(Task.Run(
                    async () =>
                    {
                        var failure = await AskAsync(cancellationToken);
                        waits.Add((Stopwatch.GetElapsedTime(start) - due).TotalMilliseconds);
                        if (failure is not null)
                        {
                            failures.Add(failure);
                        }
                    },
                    cancellationToken));
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        await Task.WhenAll(sending);
        return BehavedFigures.Of([.. waits.Order()], [.. failures]);
    }

    private async Task<string?> AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(request.Body) };
            if (key.Length > 0)
            {
                message.Headers.Add("x-api-key", key);
            }

            using var answer = await _http.SendAsync(message, cancellationToken);
            var text = await answer.Content.ReadAsStringAsync(cancellationToken);
            return answer.IsSuccessStatusCode && text.Contains(request.Expected, StringComparison.Ordinal) ? null : $"{(int)answer.StatusCode} {text}";
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return exception.Message;
        }
    }
}

/// <summary>What became of the requests of a client that behaves; times in milliseconds.</summary>
/// <param name="FirstFailure">Null where none failed.</param>
internal sealed record BehavedFigures(int Requests, int Failed, double P50, double P99, double Longest, string? FirstFailure)
{
    /// <param name="waits">Ascending, at least one.</param>
    public static BehavedFigures Of(IReadOnlyList<double> waits, IReadOnlyList<string> failures) =>
        new(waits.Count, failures.Count, At(waits, 0.5), At(waits, 0.99), At(waits, 1), failures.Count > 0 ? failures[0] : null);

    private static double At(IReadOnlyList<double> waits, double part) => Math.Round(Percentiles.At(waits, part), 2);
}
