namespace Cluster.Conformance.RealModels;

/// <summary>How far two series of numbers are apart where they are farthest; infinitely, if a number faces a NaN.</summary>
internal static class Differences
{
    public static double Absolute(IReadOnlyList<float> expected, IReadOnlyList<float> actual) =>
        Largest(expected.Zip(actual, (wanted, found) => Math.Abs((double)wanted - found)));

    public static double Relative(IReadOnlyList<float> expected, IReadOnlyList<float> actual) =>
        Largest(expected.Zip(actual, (wanted, found) => Math.Abs((double)wanted - found) / Math.Abs(wanted)));

    // Max alone takes NaN for the smallest of all.
    private static double Largest(IEnumerable<double> differences) =>
        differences.Select(difference => double.IsNaN(difference) ? double.PositiveInfinity : difference).Max();
}
