namespace Cluster.Bench.Compare;

/// <summary>Something that is measured of either build in turn.</summary>
/// <param name="name">As on the command line and in the report.</param>
internal abstract class CompareCase(string name)
{
    public string Name => name;

    /// <summary>What is done before the first round, such as requests until code is compiled.</summary>
    public virtual Task PrepareAsync(RunningBuild build, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>One round of one build.</summary>
    /// <exception cref="InvalidDataException">An answer was wrong.</exception>
    public abstract Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken);
}

/// <summary>What one round of one build measured; each round has the same figures in the same order.</summary>
/// <param name="OthersPercent">Part of the machine that other processes took meanwhile.</param>
internal sealed record Sample(double OthersPercent, params IReadOnlyList<Figure> Figures);

/// <param name="Name">With its unit.</param>
internal readonly record struct Figure(string Name, double Value);
