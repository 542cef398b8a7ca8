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

/// <summary>What a benchmark is given.</summary>
/// <param name="Arguments">Its options.</param>
/// <param name="Root">The repository's root folder.</param>
/// <param name="Progress">Where it says what it is doing; not part of the report.</param>
/// <param name="Time">Dates of reports. Durations come from the monotonic clock.</param>
internal sealed record BenchContext(BenchArguments Arguments, string Root, TextWriter Progress, TimeProvider Time);

/// <summary>What a benchmark found.</summary>
/// <param name="Text">The tables, as printed.</param>
/// <param name="Data">The same figures, to be written as JSON; a tree of records.</param>
/// <param name="Failures">Requests that failed or were answered wrongly; more than 0 makes the run fail.</param>
internal sealed record BenchmarkReport(string Text, object Data, long Failures)
{
    /// <summary>An SVG picture; null for none.</summary>
    public string? Chart { get; init; }
}

/// <summary>One <c>--name VALUE</c> of a benchmark.</summary>
/// <param name="Name">Without the dashes.</param>
/// <param name="Value">What the value stands for, as in the usage text.</param>
/// <param name="Summary">What it does and its default.</param>
internal sealed record OptionSpec(string Name, string Value, string Summary);

/// <summary>The measurement cannot be made, and the message says why; the process exits 1.</summary>
internal sealed class BenchmarkException(string message) : Exception(message);
