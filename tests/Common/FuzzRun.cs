using System.Globalization;

namespace Cluster.Tests.Common;

/// <summary>How many damaged inputs a test tries, and which: the same ones each time, unless the environment says otherwise.</summary>
public static class FuzzRun
{
    /// <summary><c>FUZZ_CASES</c>: inputs of each test.</summary>
    public static int Cases(int otherwise) => Number("FUZZ_CASES", otherwise);

    /// <summary><c>FUZZ_SEED</c>: what the inputs are made from.</summary>
    public static int Seed(int otherwise) => Number("FUZZ_SEED", otherwise);

    /// <summary>A number of the environment.</summary>
    public static int Number(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
