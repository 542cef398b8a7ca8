using Cluster.Bench.Framework;

namespace Cluster.Bench.Compare;

/// <summary>The JSON report's root.</summary>
internal sealed record CompareReport(
    string Benchmark, DateTimeOffset Started, Machine Machine, Build Base, Build New, int Rounds, double Seconds, IReadOnlyList<CaseReport> Cases)
{
    public long Failures => Cases.LongCount(static one => one.Failure is not null);
}

/// <param name="OthersPercent">The most that other processes took of the machine during a round.</param>
/// <param name="Failure">Why the case was given up; null otherwise.</param>
internal sealed record CaseReport(string Name, double OthersPercent, IReadOnlyList<FigureReport> Figures, string? Failure)
{
    /// <param name="rounds">Of each the sample of the base and that of the new build.</param>
    public static CaseReport Of(string name, IReadOnlyList<(Sample Base, Sample New)> rounds, string? failure) => new(
        name,
        rounds.Select(static round => Math.Max(round.Base.OthersPercent, round.New.OthersPercent)).DefaultIfEmpty().Max(),
        rounds.Count == 0 ? [] : [.. rounds[0].Base.Figures.Select((figure, i) => FigureReport.Of(
            figure.Name, [.. rounds.Select(round => round.Base.Figures[i].Value)], [.. rounds.Select(round => round.New.Figures[i].Value)]))],
        failure);
}

/// <summary>One figure of all rounds: medians of either build, and of the rounds' ratios new ÷ base the median, the least and the most.</summary>
internal sealed record FigureReport(
    string Name, double Base, double New, double Ratio, double LeastRatio, double MostRatio, IReadOnlyList<double> Bases, IReadOnlyList<double> News)
{
    public static FigureReport Of(string name, IReadOnlyList<double> bases, IReadOnlyList<double> news)
    {
        var ratios = bases.Zip(news, static (one, other) => one == 0 ? 1 : other / one).ToList();
        return new FigureReport(name, Median(bases), Median(news), Median(ratios), ratios.Min(), ratios.Max(), bases, news);
    }

    private static double Median(IReadOnlyList<double> values)
    {
        var ordered = values.Order().ToList();
        return (ordered[(ordered.Count - 1) / 2] + ordered[ordered.Count / 2]) / 2;
    }
}
