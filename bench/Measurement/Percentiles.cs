namespace Cluster.Bench.Measurement;

/// <summary>Percentiles of a few exact times; long runs keep a histogram instead.</summary>
internal static class Percentiles
{
    /// <param name="ascending">At least one.</param>
    /// <param name="part">0 for the smallest, 0.5 for the median, 1 for the largest.</param>
    public static double At(IReadOnlyList<double> ascending, double part) => ascending[Math.Min(ascending.Count - 1, (int)(ascending.Count * part))];
}
