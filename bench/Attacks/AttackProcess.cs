using System.Globalization;
using Cluster.Bench.Server;

namespace Cluster.Bench.Attacks;

/// <summary>The callers of an attack in a process of their own, of niceness 19: on few processors, what the server does for them is measured, and not that they take the processors themselves.</summary>
internal static class AttackProcess
{
    public const string Command = "attack-callers";

    /// <summary>The least of what a process may ask of the processors.</summary>
    private const string Niceness = "19";

    public static ChildProcess Start(Attack attack, AttackTarget target) => ChildProcess.Start(
        "nice", ["-n", Niceness, Environment.ProcessPath!, Command, attack.Name, Text(target.HttpPort), Text(target.GrpcPort), target.Key]);

    /// <summary>What the process said last: how many connections or requests it took; null if it said nothing.</summary>
    public static long? TriesOf(ChildProcess ended) =>
        long.TryParse(ended.Tail().Split('\n')[^1], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture, out var tries) ? tries : null;

    /// <summary>What the process does until it is stopped.</summary>
    /// <param name="arguments">Those of <see cref="Start"/>, without the command.</param>
    public static async Task RunAsync(IReadOnlyList<string> arguments, CancellationToken stop)
    {
        var attack = AttackList.All.Single(attack => attack.Name == arguments[0]);
        var target = new AttackTarget(Number(arguments[1]), Number(arguments[2]), arguments[3]);
        var tries = await Task.WhenAll(Enumerable.Range(0, attack.Callers).Select(_ => Task.Run(() => attack.RepeatAsync(target, stop), CancellationToken.None)));
        Console.WriteLine(tries.Sum().ToString(CultureInfo.InvariantCulture));
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
