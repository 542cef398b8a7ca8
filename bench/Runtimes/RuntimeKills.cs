using Cluster.Bench.Silos;

namespace Cluster.Bench.Runtimes;

/// <summary>What kills of silos did to the service, on one runtime.</summary>
internal sealed record RuntimeKills(string Runtime, IReadOnlyList<KillReport> Kills)
{
    /// <summary>The middle one, milliseconds; null if one of them did not come in time.</summary>
    public double? WholeAgainMedian =>
        Kills.All(static kill => kill.WholeAgain is not null) ? Kills.Select(static kill => kill.WholeAgain).Order().ElementAt(Kills.Count / 2) : null;
}
