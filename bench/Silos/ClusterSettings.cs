using Cluster.Bench.Framework;
using Cluster.Bench.Measurement;

namespace Cluster.Bench.Silos;

/// <summary>The options of <c>cluster</c>, read and checked.</summary>
internal sealed record ClusterSettings(
    IReadOnlySet<string> Parts, LoadPlan Plan, int Connections, int ColdLoads, int Kills, int ManyModels, string SiloProgram)
{
    public const string Serve = "serve";
    public const string Cold = "cold";
    public const string Kill = "kill";
    public const string Many = "many";

    private static readonly string[] All = [Serve, Cold, Kill, Many];

    public static IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("parts", "A,B", "only these of " + string.Join(", ", All)),
        new("seconds", "N", "measured time of a cell; default 3"),
        new("warm-up", "N", "time before that; default 1.5"),
        new("connections", "N", "HTTP/2 connections at most; default 4"),
        new("cold-loads", "N", "cold loads of each model; default 20"),
        new("kills", "N", "silos killed; default 3"),
        new("many-models", "N", "models registered, compared with 10; default 10000"),
        new("silo", "FILE", "the server to start; default silo/bin/Release/net10.0/cluster-silo"),
    ];

    public static ClusterSettings Read(BenchContext context)
    {
        var arguments = context.Arguments;
        return new ClusterSettings(
            arguments.Text("parts") is { } parts ? parts.Split(',').Select(Known).ToHashSet() : All.ToHashSet(),
            new LoadPlan(arguments.Seconds("warm-up", 1.5, 0, 60), arguments.Seconds("seconds", 3, 0.1, 600)),
            arguments.Integer("connections", 4, 1, 256),
            arguments.Integer("cold-loads", 20, 10, 10_000),
            arguments.Integer("kills", 3, 1, 100),
            arguments.Integer("many-models", 10_000, 11, 1_000_000),
            Path.GetFullPath(arguments.Text("silo") ?? Path.Combine(context.Root, "silo/bin/Release/net10.0/cluster-silo")));
    }

    private static string Known(string part) => All.Contains(part) ? part : throw new UsageException($"option '--parts' does not know '{part}'");
}
