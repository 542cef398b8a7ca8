using System.Diagnostics.Metrics;
using Cluster.Grains.Repository;

namespace Cluster.Silo.Repository;

/// <summary>What the meter "Cluster.Repository" tells.</summary>
internal sealed class RepositoryMetrics
{
    public const string MeterName = "Cluster.Repository";

    public RepositoryMetrics(IMeterFactory meters, RepositoryStanding standing)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.repository.agrees", () => standing.Problem is null ? 1 : 0, unit: null, "0 if this silo's repository lacks, or holds otherwise, what the cluster serves");
    }
}
