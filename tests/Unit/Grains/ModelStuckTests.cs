using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What a model does about replicas whose slots are all held by runs that do not end.</summary>
public sealed class ModelStuckTests
{
    private const int Quarantined = 2313;

    [Fact]
    public async Task Stuck_AnotherSiloIsThere_IsLoadedThereWithoutARequest()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        var port = cluster.InMemory[0];

        await cluster.StickAsync(0);

        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 1));
        Assert.Contains(cluster.Told, static told => told is { Replicas.IsEmpty: true, Cause: ServingReasons.Stuck });
        Assert.NotEqual(port, Assert.Single(cluster.InMemory).Value);
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public async Task Stuck_OnEverySilo_IsLoadedAgainWhereItIs()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.StickAsync(0);
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 1));

        await cluster.StickAsync(1);

        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 2));
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public async Task Stuck_OneOfTwo_OtherServesOnAndAThirdSiloGetsOne()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        var port = cluster.InMemory[0];

        await cluster.StickAsync(0);

        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 1, 2));
        Assert.All(cluster.Told.SkipWhile(static told => told.Replicas.IsEmpty), static told => Assert.False(told.Replicas.IsEmpty));
        Assert.DoesNotContain(port, cluster.InMemory.Values);
    }

    [Fact]
    public async Task Stuck_ThreeTimes_IsQuarantinedUntilLoadedAgain()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.Runtime.ExpectedErrors.Add(Quarantined);
        await cluster.ApplyAsync("r1");
        foreach (var number in new[] { 0, 1 })
        {
            await cluster.StickAsync(number);
            await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, number + 1));
        }

        await cluster.StickAsync(2);

        await cluster.UntilAsync(() => cluster.Version.State == ModelVersionState.Unavailable);
        Assert.True(cluster.Version.Failed);
        Assert.Equal("quarantined: the runs of three replicas did not end; load the model again to serve it", cluster.Version.Reason);
        await cluster.ApplyAsync("r1");
        Assert.Empty(cluster.InMemory);

        await cluster.Model.LoadAsync(CancellationToken.None);
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
        var serving = cluster.Serving.Single();
        await cluster.StickAsync(serving);
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, serving + 1));
    }

    [Fact]
    public async Task Stuck_ReplicaThatDoesNotServe_CountsForNothing()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");

        for (var times = 0; times < 4; times++)
        {
            await cluster.StickAsync(0);
        }

        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 1));
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public void Stuck_LongAgoOrOfOtherContent_IsForgotten()
    {
        var memory = TimeSpan.FromHours(6);
        var now = DateTimeOffset.UnixEpoch;
        var state = new ModelGrainState
        {
            Registration = new ModelRegistration { Name = "m", Versions = [new ModelVersionSource(1, "/m", "r1")], SettingsRevision = "s" },
        };

        state = FailurePlan.Stick(state, 1, new LoadedVersion([], "r1", "s"), Silos.A, now, memory);
        state = FailurePlan.Stick(state, 1, new LoadedVersion([], "r0", "s"), Silos.B, now, memory);

        Assert.Equal([Silos.A], FailurePlan.Stuck(state, 1, now + memory - TimeSpan.FromSeconds(1), memory).Select(static stuck => stuck.Silo));
        Assert.Empty(FailurePlan.Stuck(state, 1, now + memory, memory));
    }
}
