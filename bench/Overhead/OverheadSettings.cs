using Cluster.Bench.Framework;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;

namespace Cluster.Bench.Overhead;

/// <summary>The options of <c>overhead</c>, read and checked.</summary>
internal sealed record OverheadSettings(
    LoadPlan Plan, int Connections, int? Concurrency, IReadOnlyList<OverheadModel> Models, ServerUnderTest? Server, string SiloProgram)
{
    private const int MaxConcurrency = 256;

    public static IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "N", "measured time of a cell; default 5"),
        new("warm-up", "N", "time before that; default 2"),
        new("models", "A,B", "only these of " + string.Join(", ", OverheadModel.All.Select(model => model.Name))),
        new("concurrency", "N", "requests in flight at saturation; default 32 for small requests, 8 for large ones"),
        new("connections", "N", "HTTP/2 connections at most; default 4"),
        new("server", "ADDRESSES", "grpc=HOST:PORT,http=HOST:PORT[,pid=N] measures a server that runs already"),
        new("silo", "FILE", "the server to start; default silo/bin/Release/net10.0/cluster-silo"),
    ];

    public static OverheadSettings Read(BenchContext context)
    {
        var arguments = context.Arguments;
        return new OverheadSettings(
            new LoadPlan(arguments.Seconds("warm-up", 2, 0, 60), arguments.Seconds("seconds", 5, 0.1, 600)),
            arguments.Integer("connections", 4, 1, MaxConcurrency),
            arguments.Text("concurrency") is null ? null : arguments.Integer("concurrency", 0, 1, MaxConcurrency),
            arguments.Text("models") is { } names ? [.. names.Split(',').Select(Find)] : OverheadModel.All,
            arguments.Text("server") is { } server ? ServerAddresses.Parse(server) : null,
            Path.GetFullPath(arguments.Text("silo") ?? Path.Combine(context.Root, "silo/bin/Release/net10.0/cluster-silo")));
    }

    private static OverheadModel Find(string name) =>
        OverheadModel.All.FirstOrDefault(model => model.Name == name)
        ?? throw new UsageException($"option '--models' does not know '{name}'");
}
