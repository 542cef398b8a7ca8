using System.Text.Json.Nodes;

namespace Cluster.Cli.Load;

/// <summary>One request of a load.</summary>
/// <param name="Took">From when it was sent, or was due to be, to the end of its answer.</param>
/// <param name="Failure">Null for an answer.</param>
public readonly record struct BenchSample(TimeSpan Took, string? Failure);

/// <summary>What a load measured. Times are of requests that were answered; null where none was.</summary>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="Failures">How many requests failed so, the most first.</param>
public sealed record BenchFigures(
    int Requests, TimeSpan Elapsed, TimeSpan? Median, TimeSpan? P90, TimeSpan? P99, TimeSpan? Longest, IReadOnlyList<(string Failure, int Count)> Failures)
{
    public int Failed => Failures.Sum(static failure => failure.Count);

    public static BenchFigures Of(IReadOnlyCollection<BenchSample> samples, TimeSpan elapsed)
    {
        var times = samples.Where(static sample => sample.Failure is null).Select(static sample => sample.Took).Order().ToList();
        var failures = samples.Where(static sample => sample.Failure is not null).CountBy(static sample => sample.Failure!).OrderByDescending(static failure => failure.Value);
        return new BenchFigures(samples.Count, elapsed, At(times, 0.5), At(times, 0.9), At(times, 0.99), At(times, 1), [.. failures.Select(static failure => (failure.Key, failure.Value))]);
    }

    public JsonObject ToJson() => new()
    {
        ["requests"] = Requests,
        ["failed"] = Failed,
        ["seconds"] = Math.Round(Elapsed.TotalSeconds, 3),
        ["answers_per_second"] = Math.Round((Requests - Failed) / Elapsed.TotalSeconds, 2),
        ["p50_ms"] = Milliseconds(Median),
        ["p90_ms"] = Milliseconds(P90),
        ["p99_ms"] = Milliseconds(P99),
        ["max_ms"] = Milliseconds(Longest),
        ["failures"] = new JsonArray([.. Failures.Select(static failure => new JsonObject { ["count"] = failure.Count, ["failure"] = failure.Failure })]),
    };

    /// <summary>The least time that such a share of all did not exceed.</summary>
    private static TimeSpan? At(List<TimeSpan> ordered, double share) => ordered.Count == 0 ? null : ordered[(int)Math.Ceiling(share * ordered.Count) - 1];

    private static double? Milliseconds(TimeSpan? time) => time is { } known ? Math.Round(known.TotalMilliseconds, 3) : null;
}
