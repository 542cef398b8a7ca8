using Cluster.Bench.Framework;

namespace Cluster.Bench.Messaging;

/// <summary>All cells of a run.</summary>
internal sealed record MessagingReport(string Benchmark, DateTimeOffset Started, Machine Machine, double Seconds, IReadOnlyList<MessagingCell> Cells);
