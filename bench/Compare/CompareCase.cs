using Cluster.Bench.Ratios;

namespace Cluster.Bench.Compare;

/// <summary>Something that is measured of either build in turn.</summary>
/// <param name="name">As on the command line and in the report.</param>
internal abstract class CompareCase(string name)
{
    public string Name => name;

    /// <summary>A case that takes long is not repeated as often as is asked for.</summary>
    public virtual int MostRounds => int.MaxValue;

    /// <summary>What is done before the first round, such as requests until code is compiled.</summary>
    public virtual Task PrepareAsync(RunningBuild build, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>One round of one build.</summary>
    /// <exception cref="InvalidDataException">An answer was wrong.</exception>
    public abstract Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken);
}
