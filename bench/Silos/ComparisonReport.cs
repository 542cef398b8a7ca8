namespace Cluster.Bench.Silos;

/// <summary>Cells, measured in turn, and how those of the second kind relate to those of the first.</summary>
internal sealed record ComparisonReport(IReadOnlyList<Cell> Cells, IReadOnlyList<CellRatio> Ratios)
{
    public long Failures => Cells.Sum(static cell => cell.Failures);

    /// <param name="pairs">Of each load the cell of the first kind and that of the second.</param>
    public static ComparisonReport Of(IReadOnlyList<(Cell First, Cell Second)> pairs) => new(
        [.. pairs.SelectMany(static pair => new[] { pair.First, pair.Second })],
        [.. pairs.Select(static pair => CellRatio.Between(pair.Second, pair.First))]);
}
