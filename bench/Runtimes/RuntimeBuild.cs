namespace Cluster.Bench.Runtimes;

/// <summary>The programs of one actor runtime, and how they are to be run.</summary>
/// <param name="Environment">Variables of the silos.</param>
/// <param name="Recovery">How long after a kill is looked at what becomes of it.</param>
internal sealed record RuntimeBuild(string Name, string BenchProgram, string SiloProgram, IReadOnlyDictionary<string, string> Environment, TimeSpan Recovery)
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>What a silo of Orleans has where nobody sets its membership.</summary>
    private static readonly Dictionary<string, string> OrleansDefaults = new()
    {
        ["Orleans__Membership__ProbeTimeout"] = "00:00:05",
        ["Orleans__Membership__NumMissedProbesLimit"] = "3",
        ["Orleans__Membership__TableRefreshTimeout"] = "00:01:00",
        ["Orleans__Membership__IAmAliveTablePublishTimeout"] = "00:00:30",
        ["Orleans__Membership__DeathVoteExpirationTimeout"] = "00:02:00",
        ["Orleans__Membership__LocalHealthDegradationMonitoringPeriod"] = "00:00:10",
        ["Orleans__Gateways__GatewayListRefreshPeriod"] = "00:01:00",
    };

    public bool Exists => File.Exists(BenchProgram) && File.Exists(SiloProgram);

    public static RuntimeBuild Embedded(string root) => Of(root, "embedded", "bin", None, TimeSpan.FromSeconds(5));

    public static RuntimeBuild Orleans(string root) => Of(root, "orleans", "bin/orleans", None, TimeSpan.FromSeconds(15));

    /// <summary>The same build with Orleans' own settings of the membership in place of ours.</summary>
    public RuntimeBuild WithItsDefaults() => this with { Name = "orleans, its defaults", Environment = OrleansDefaults, Recovery = TimeSpan.FromSeconds(45) };

    private static RuntimeBuild Of(string root, string name, string output, IReadOnlyDictionary<string, string> environment, TimeSpan recovery) => new(
        name,
        Path.Combine(root, "bench", output, "Release/net10.0/cluster-bench"),
        Path.Combine(root, "silo", output, "Release/net10.0/cluster-silo"),
        environment,
        recovery);
}
