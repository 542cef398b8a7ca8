namespace Cluster.Bench.Overhead;

/// <summary>One way of calling compared with another under the same load. Null where a figure is missing.</summary>
/// <param name="Of">The way on top of the fraction.</param>
/// <param name="To">The way below it.</param>
/// <param name="RequestsPerSecond">Of the numbers of requests a second: more is better for <paramref name="Of"/>.</param>
/// <param name="P50">Of the median latencies: less is better, as for the rest.</param>
/// <param name="ServerCpu">Of the server's processor times a request.</param>
/// <param name="AddedServerCpuMicros">Their difference.</param>
internal sealed record OverheadRatio(
    Way Of, Way To, int Concurrency, bool Saturating, double? RequestsPerSecond, double? P50, double? P99, double? ServerCpu, double? AddedServerCpuMicros)
{
    /// <summary>gRPC and REST to in-process, and REST to gRPC; each at 1 and at saturation.</summary>
    public static IReadOnlyList<OverheadRatio> All(IReadOnlyList<OverheadCell> cells)
    {
        var ratios = new List<OverheadRatio>();
        foreach (var (of, to) in new[] { (Way.Grpc, Way.InProcess), (Way.Rest, Way.InProcess), (Way.Rest, Way.Grpc) })
        {
            foreach (var saturating in new[] { false, true })
            {
                var top = cells.Single(cell => cell.Way == of && cell.Saturating == saturating);
                var bottom = cells.Single(cell => cell.Way == to && cell.Saturating == saturating);
                ratios.Add(Between(top, bottom));
            }
        }

        return ratios;
    }

    private static OverheadRatio Between(OverheadCell top, OverheadCell bottom) => new(
        top.Way,
        bottom.Way,
        top.Concurrency,
        top.Saturating,
        Divide(top.RequestsPerSecond, bottom.RequestsPerSecond),
        Divide(top.P50Micros, bottom.P50Micros),
        Divide(top.P99Micros, bottom.P99Micros),
        Divide(top.ServerCpuMicros, bottom.ServerCpuMicros),
        top.ServerCpuMicros - bottom.ServerCpuMicros is { } added ? Math.Round(added, 2) : null);

    private static double? Divide(double? top, double? bottom) =>
        top is > 0 && bottom is > 0 ? double.Parse((top.Value / bottom.Value).ToString("G4", null), null) : null;
}
