using HdrHistogram;

namespace Cluster.Bench.Serving;

/// <summary>What one load found. Latencies are in milliseconds; of an open loop they count from when the request was due.</summary>
/// <param name="Protocol">grpc or rest.</param>
/// <param name="Callers">Of a closed loop; 0 of an open one.</param>
/// <param name="Rate">Requests a second that were due; 0 of a closed loop.</param>
/// <param name="Answered">Requests a second that were answered.</param>
/// <param name="Failed">Requests that were not, by what they were told.</param>
/// <param name="FailedP99">Until they were told.</param>
/// <param name="Curve">Latency at each of <see cref="Percentiles"/>.</param>
internal sealed record LoadPoint(
    string Protocol, int Callers, double Rate, double Answered, double P50, double P90, double P99, double Max, SortedDictionary<string, long> Failed, double FailedP99, double[] Curve)
{
    /// <summary>Processors that the load generator took on average; 0 in reports of older builds.</summary>
    public double ClientProcessors { get; init; }

    /// <summary>Of the chart: each nine is as wide as the one before.</summary>
    public static double[] Percentiles { get; } = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 99.99];

    /// <summary>What is loaded, for a table.</summary>
    public string Load => Rate > 0 ? FormattableString.Invariant($"{Rate:0.#}/s") : $"{Callers} callers";

    public static LoadPoint Of(string protocol, int callers, double rate, TimeSpan time, LongHistogram answered, LongHistogram refused, SortedDictionary<string, long> failed) => new(
        protocol,
        callers,
        rate,
        answered.TotalCount / time.TotalSeconds,
        At(answered, 50),
        At(answered, 90),
        At(answered, 99),
        At(answered, 100),
        failed,
        At(refused, 99),
        Array.ConvertAll(Percentiles, percentile => At(answered, percentile)));

    private static double At(LongHistogram micros, double percentile) => micros.TotalCount == 0 ? 0 : Math.Round(micros.GetValueAtPercentile(percentile) / 1000.0, 3);
}
