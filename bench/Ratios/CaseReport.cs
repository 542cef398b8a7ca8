using Cluster.Bench.Load;

namespace Cluster.Bench.Ratios;

/// <summary>Two things measured under the same load, in turns.</summary>
/// <param name="OthersPercent">The most that other processes took of the machine during a measurement.</param>
/// <param name="Failure">Why the case was given up; null otherwise.</param>
internal sealed record CaseReport(string Name, double OthersPercent, IReadOnlyList<FigureReport> Figures, string? Failure)
{
    /// <summary>Measures A B, B A, A B and so on: what changes with time meets both alike.</summary>
    public static async Task<CaseReport> MeasureAsync(string name, int rounds, Func<Task<Sample>> first, Func<Task<Sample>> second)
    {
        var measured = new List<(Sample First, Sample Second)>();
        try
        {
            while (measured.Count < rounds)
            {
                if (measured.Count % 2 == 0)
                {
                    var before = await first();
                    measured.Add((before, await second()));
                }
                else
                {
                    var before = await second();
                    measured.Add((await first(), before));
                }
            }

            return Of(name, measured, null);
        }
        catch (Exception error) when (error is InvalidDataException or GrpcFailureException or IOException or HttpRequestException)
        {
            return Of(name, measured, error.Message);
        }
    }

    private static CaseReport Of(string name, List<(Sample First, Sample Second)> rounds, string? failure) => new(
        name,
        rounds.Select(static round => Math.Max(round.First.OthersPercent, round.Second.OthersPercent)).DefaultIfEmpty().Max(),
        rounds.Count == 0 ? [] : [.. rounds[0].First.Figures.Select((figure, i) => FigureReport.Of(
            figure.Name, [.. rounds.Select(round => round.First.Figures[i].Value)], [.. rounds.Select(round => round.Second.Figures[i].Value)]))],
        failure);
}

/// <summary>One figure of all rounds: medians of either, and of the rounds' ratios second ÷ first the median, the least and the most. 0 ÷ 0 is 1.</summary>
internal sealed record FigureReport(
    string Name, double First, double Second, double Ratio, double LeastRatio, double MostRatio, IReadOnlyList<double> Firsts, IReadOnlyList<double> Seconds)
{
    /// <summary>JSON has no infinity.</summary>
    private const double FromNothing = 1e9;

    public static FigureReport Of(string name, IReadOnlyList<double> firsts, IReadOnlyList<double> seconds)
    {
        var ratios = firsts.Zip(seconds, Divide).ToList();
        return new FigureReport(name, Median(firsts), Median(seconds), Median(ratios), ratios.Min(), ratios.Max(), firsts, seconds);
    }

    private static double Divide(double first, double second) => first == 0 ? (second == 0 ? 1 : FromNothing) : second / first;

    private static double Median(IReadOnlyList<double> values)
    {
        var ordered = values.Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }
}

/// <summary>What one measurement found. Those that are compared have the same figures in the same order.</summary>
/// <param name="OthersPercent">Part of the machine that other processes took meanwhile.</param>
internal sealed record Sample(double OthersPercent, params IReadOnlyList<Figure> Figures)
{
    /// <summary>Of the server a request; of this process where there is none.</summary>
    public const string Cpu = "CPU µs";

    public static Sample Of(LoadFigures load) => new(
        load.Cpu.OthersPercent,
        new Figure("req/s", load.RequestsPerSecond),
        new Figure(Cpu, load.CpuMicros),
        new Figure("p50 µs", load.P50Micros),
        new Figure("p99 µs", load.P99Micros));
}

/// <param name="Name">With its unit.</param>
internal readonly record struct Figure(string Name, double Value);
