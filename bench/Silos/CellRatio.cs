namespace Cluster.Bench.Silos;

/// <summary>One cell's figures divided by those of another under the same load; null where one is missing.</summary>
internal sealed record CellRatio(string Model, int InFlight, string Of, string To, double? RequestsPerSecond, double? P50, double? P99, double? ServerCpu)
{
    public static CellRatio Between(Cell top, Cell bottom) => new(
        top.Model,
        top.InFlight,
        top.Of,
        bottom.Of,
        Divide(top.RequestsPerSecond, bottom.RequestsPerSecond),
        Divide(top.P50Micros, bottom.P50Micros),
        Divide(top.P99Micros, bottom.P99Micros),
        Divide(top.ServerCpuMicros, bottom.ServerCpuMicros));

    private static double? Divide(double? top, double? bottom) => top > 0 && bottom > 0 ? Math.Round(top.Value / bottom.Value, 3) : null;
}
