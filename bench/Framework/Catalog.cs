using Cluster.Bench.Attacks;
using Cluster.Bench.Compare;
using Cluster.Bench.Echo;
using Cluster.Bench.Faults;
using Cluster.Bench.Messaging;
using Cluster.Bench.OpenVino;
using Cluster.Bench.Overhead;
using Cluster.Bench.Overload;
using Cluster.Bench.Serving;

namespace Cluster.Bench.Framework;

/// <summary>All benchmarks, in the order of <c>bench/run list</c>.</summary>
internal static class Catalog
{
    public static IReadOnlyList<IBenchmark> All { get; } =
        [new CompareBenchmark(), new OverheadBenchmark(), new EchoBenchmark(), new MessagingBenchmark(), new TlsBenchmark(), new FaultBenchmark(), new LoadBenchmark(), new OverloadBenchmark(), new OpenVinoBenchmark(), new AttacksBenchmark()];

    /// <exception cref="UsageException">There is none of that name.</exception>
    public static IBenchmark Find(string name) =>
        All.FirstOrDefault(benchmark => benchmark.Name == name) ?? throw new UsageException($"there is no benchmark '{name}'");
}

/// <summary>The texts of <c>bench/run list</c> and of usage errors.</summary>
internal static class Usage
{
    public static void Write(TextWriter writer)
    {
        writer.WriteLine("usage: bench/run list");
        writer.WriteLine("       bench/run NAME [--option VALUE ...]");
        writer.WriteLine();
        foreach (var benchmark in Catalog.All)
        {
            writer.WriteLine($"{benchmark.Name}: {benchmark.Summary}");
            foreach (var option in benchmark.Options)
            {
                writer.WriteLine($"  {$"--{option.Name} {option.Value}",-24} {option.Summary}");
            }
        }
    }
}
