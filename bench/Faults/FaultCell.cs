using System.Globalization;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Faults;

/// <summary>One cell of the matrix.</summary>
internal sealed record FaultCell(Fault Fault, int Replicas, FaultPhase Phase)
{
    private static readonly int[] ReplicaCounts = [1, 2];

    public string Name => string.Join('/', Words);

    private string[] Words => [Fault.Name, Replicas.ToString(CultureInfo.InvariantCulture), Word(Phase)];

    /// <summary>The cells that <c>--only</c> names: each entry is words of a cell's name, in any order, separated by slashes; without it all.</summary>
    /// <exception cref="UsageException">A word is unknown.</exception>
    public static IReadOnlyList<FaultCell> Chosen(string? only)
    {
        List<FaultCell> all =
        [
            .. from fault in FaultList.All
               from replicas in ReplicaCounts
               from phase in Enum.GetValues<FaultPhase>()
               select new FaultCell(fault, replicas, phase),
        ];
        var entries = only?.Split(',').Select(static entry => entry.Split('/')).ToList() ?? [[]];
        return entries.SelectMany(static entry => entry).FirstOrDefault(word => !all.Exists(cell => cell.Words.Contains(word))) is { } unknown
            ? throw new UsageException($"option '--only' does not know '{unknown}'")
            : all.FindAll(cell => entries.Exists(entry => Array.TrueForAll(entry, cell.Words.Contains)));
    }

    private static string Word(FaultPhase phase) => phase switch
    {
        FaultPhase.Steady => "steady",
        FaultPhase.Cold => "cold",
        _ => "reload",
    };
}

/// <summary>What goes on besides the steady load while a fault lasts.</summary>
internal enum FaultPhase
{
    Steady,

    /// <summary>Models that are registered and not loaded get their first request.</summary>
    Cold,

    /// <summary>Models that are asked all the time get new content.</summary>
    Reload,
}
