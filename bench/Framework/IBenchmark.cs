namespace Cluster.Bench.Framework;

/// <summary>
/// One <c>bench/run NAME</c>: measures for a bounded time and answers with a report. Every benchmark stands in <see cref="Catalog"/>.
/// </summary>
internal interface IBenchmark
{
    /// <summary>The word on the command line and in the report's file name.</summary>
    string Name { get; }

    /// <summary>What it measures, one line.</summary>
    string Summary { get; }

    /// <summary>The options it takes; any other is a usage error.</summary>
    IReadOnlyList<OptionSpec> Options { get; }

    /// <summary>Measures. Reads all its arguments before it starts anything.</summary>
    /// <exception cref="UsageException">An argument is out of range.</exception>
    /// <exception cref="BenchmarkException">Nothing could be measured.</exception>
    Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken);
}
