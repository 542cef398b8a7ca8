namespace Cluster.Bench.Framework;

/// <summary>What a benchmark is given.</summary>
/// <param name="Arguments">Its options.</param>
/// <param name="Root">The repository's root folder.</param>
/// <param name="Progress">Where it says what it is doing; not part of the report.</param>
/// <param name="Time">Dates of reports. Durations come from the monotonic clock.</param>
internal sealed record BenchContext(BenchArguments Arguments, string Root, TextWriter Progress, TimeProvider Time);
