using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Unit.Clustering;
using Cluster.Unit.Grains;
using Xunit;

namespace Cluster.Unit.OpenVino;

/// <summary>A model that needs OpenVINO, on silos that have it and on others.</summary>
public sealed class OpenVinoPlacementTests
{
    private static readonly ModelSettings OpenVino = new() { ExecutionProvider = ExecutionProvider.OpenVino };

    [Fact]
    public async Task Apply_NoSiloHasIt_SaysSoAndIsLoadedWhenOneHas()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        Tell(cluster, 1);
        Tell(cluster, 2);

        await cluster.ApplyAsync("r1", OpenVino);

        var version = cluster.Version;
        Assert.Equal((ModelVersionState.Unavailable, true, true), (version.State, version.Failed, version.NoSilo));
        Assert.EndsWith("of 2 there are 2 without OpenVINO", version.Reason, StringComparison.Ordinal);

        Tell(cluster, 2, "CPU");
        await cluster.ApplyAsync("r1", OpenVino, retryFailed: true);

        Assert.Equal((ModelVersionState.Ready, false), (cluster.Version.State, cluster.Version.NoSilo));
        Assert.Equal(Silos.At(2).Endpoint.Port, Assert.Single(cluster.InMemory).Value);
    }

    private static void Tell(SimulatedCluster cluster, int number, params string[] devices) =>
        cluster.SiloStates.Publish(new SiloState { Silo = Silos.At(number), Capacity = 1L << 30, Runtime = "1.31.1", Devices = [.. devices] });
}
