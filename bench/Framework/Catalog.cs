using Cluster.Bench.Compare;
using Cluster.Bench.Faults;
using Cluster.Bench.Messaging;
using Cluster.Bench.OpenVino;
using Cluster.Bench.Overhead;
using Cluster.Bench.Serving;

namespace Cluster.Bench.Framework;

/// <summary>All benchmarks, in the order of <c>bench/run list</c>.</summary>
internal static class Catalog
{
    public static IReadOnlyList<IBenchmark> All { get; } =
        [new CompareBenchmark(), new OverheadBenchmark(), new MessagingBenchmark(), new TlsBenchmark(), new FaultBenchmark(), new LoadBenchmark(), new OpenVinoBenchmark()];

    /// <exception cref="UsageException">There is none of that name.</exception>
    public static IBenchmark Find(string name) =>
        All.FirstOrDefault(benchmark => benchmark.Name == name) ?? throw new UsageException($"there is no benchmark '{name}'");
}
