using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>What a cell of the matrix showed.</summary>
/// <param name="NotMeasured">Why it was not measured; null where it was.</param>
/// <param name="Steady">What the callers asked.</param>
/// <param name="Besides">First requests of cold models, or reloads each with a request; null in the steady phase.</param>
/// <param name="Lasted">Seconds from the fault until it was over and all processes ran.</param>
/// <param name="Whole">Seconds from the fault until all silos were members; null where they were not within a minute.</param>
/// <param name="Seen">What happened to the silos, each with its seconds since the fault.</param>
internal sealed record CellReport(
    string Cell,
    string Expected,
    bool AsExpected,
    string? NotMeasured = null,
    CellFigures? Steady = null,
    CellFigures? Besides = null,
    double? Lasted = null,
    double? Whole = null,
    IReadOnlyList<string>? Seen = null)
{
    public static CellReport Skip(FaultCell cell, string reason) => new(cell.Name, cell.Fault.Expected(cell.Phase), AsExpected: true, $"skipped: {reason}");

    public static CellReport Fail(FaultCell cell, string reason) => new(cell.Name, cell.Fault.Expected(cell.Phase), AsExpected: false, $"not measured: {reason}");
}

/// <summary>The requests of one kind of a cell.</summary>
/// <param name="LongestBeforeMs">Of those that had ended before the fault: what the machine does by itself.</param>
/// <param name="Slow">Answered rightly, after more than 100 ms.</param>
/// <param name="AgainSeconds">From the fault until the last that failed or was slow had ended; null where that was in the last second of the load.</param>
/// <param name="Failures">The first ones of each code.</param>
internal sealed record CellFigures(
    int Requests,
    int Failed,
    IReadOnlyDictionary<string, int> Codes,
    double LongestMs,
    double LongestBeforeMs,
    int Slow,
    double? AgainSeconds,
    IReadOnlyList<string> Failures)
{
    private const int ShownOfACode = 3;
    private const string NoStatus = "no status";

    private static readonly TimeSpan Ordinary = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan OnEnd = TimeSpan.FromSeconds(1);

    public static CellFigures Of(LoadReport load, TimeSpan fault)
    {
        var (before, after) = (load.EndedBy(fault), new LoadReport([.. load.Records.Where(record => record.End > fault)]));
        var codes = load.Failures.GroupBy(CodeOf).ToDictionary(static code => code.Key, static code => code.ToList());
        var disturbed = after.Records.Where(static record => !record.Result.IsOk || record.Latency > Ordinary).Select(static record => record.End).DefaultIfEmpty(fault).Max();
        var end = load.Records.Select(static record => record.End).DefaultIfEmpty(fault).Max();
        return new CellFigures(
            load.Count,
            load.Failures.Count,
            codes.ToDictionary(static code => code.Key, static code => code.Value.Count),
            Math.Round(after.Slowest.TotalMilliseconds),
            Math.Round(before.Slowest.TotalMilliseconds),
            after.Records.Count(static record => record.Result.IsOk && record.Latency > Ordinary),
            disturbed > fault && end - disturbed < OnEnd ? null : Math.Round((disturbed - fault).TotalSeconds, 2),
            [.. codes.Values.SelectMany(static failures => failures.Take(ShownOfACode)).Select(failure => Describe(failure, fault))]);
    }

    /// <summary>Whether nothing failed but by being refused as unavailable, where that may be.</summary>
    public bool IsRight(bool mayBeRefused) => mayBeRefused ? Codes.Keys.All(static code => code == nameof(StatusCode.Unavailable)) : Failed == 0;

    private static string CodeOf(LoadRecord record) => record.Result.Status?.ToString() ?? NoStatus;

    private static string Describe(LoadRecord record, TimeSpan fault) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(record.Due - fault).TotalSeconds:0.0} s {record.Model}, after {record.Latency.TotalMilliseconds:0} ms: {record.Result}");
}
