using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>What a model does about silos that are lost, accused or leave.</summary>
public sealed class ModelSiloLossTests
{
    [Fact]
    public async Task Lost_InUse_IsToldAtOnceAndLoadedElsewhere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0);
        var port = cluster.InMemory[0];

        await cluster.LoseSiloAsync(ofReplica: 0);

        Assert.Contains(cluster.Told, told => told is { OnDemand: true, Replicas.IsEmpty: true, Cause: ServingReasons.SiloLost });
        await cluster.UntilAsync(() => cluster.Version is { OnDemand: false, Replicas.Length: 1 });
        Assert.Equal("not in memory, and wanted again", cluster.Version.Cause);
        Assert.NotEqual(port, Assert.Single(cluster.InMemory).Value);
    }

    [Fact]
    public async Task Accused_OfTwoSilosThatAreDead_IsQuarantinedUntilLoadedAgain()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.Runtime.ExpectedErrors.Add(2172);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        await cluster.ReportLoadAsync(0);
        var (first, second) = (SimulatedCluster.Silo(cluster.InMemory[0]), SimulatedCluster.Silo(cluster.InMemory[1]));
        await cluster.LoseSiloAsync(ofReplica: 0);

        // The call was lost before the membership has the silo as dead.
        await cluster.Model.AccuseAsync(1, [first, second]).AsTask().Soon();
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
        await cluster.LoseSiloAsync(ofReplica: 1);

        Assert.Equal((ModelVersionState.Unavailable, true), (cluster.Version.State, cluster.Version.Failed));
        Assert.Equal("quarantined: one request took down two silos, one after the other; load the model again to serve it", cluster.Version.Reason);
        await cluster.UntilAsync(() => cluster.InMemory.Count == 0);
        var failure = (await Assert.ThrowsAsync<ServingException>(cluster.AskAsync)).Failure;
        Assert.Contains("quarantined", failure.Message, StringComparison.Ordinal);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        Assert.Equal(ModelVersionState.Unavailable, cluster.Version.State);

        await cluster.Model.LoadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public async Task Accused_OfASiloThatLives_GoesOnServing()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        var (first, second) = (SimulatedCluster.Silo(cluster.InMemory[0]), SimulatedCluster.Silo(cluster.InMemory[1]));
        await cluster.LoseSiloAsync(ofReplica: 0);

        await cluster.Model.AccuseAsync(1, [first, second]).AsTask().Soon();
        await cluster.Model.AccuseAsync(1, [first, first]).AsTask().Soon();

        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public async Task Lost_NotInUse_WaitsForItsNextRequest()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");

        await cluster.LoseSiloAsync(ofReplica: 0);
        await cluster.ApplyAsync("r1");

        Assert.True(cluster.Version.OnDemand);
        Assert.Empty(cluster.InMemory);
        await cluster.AskAsync();
        await cluster.UntilAsync(() => !cluster.Version.OnDemand);
    }

    [Fact]
    public async Task Lost_OneOfTwo_OtherServesAloneUntilTheThirdSiloHasOne()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);

        await cluster.LoseSiloAsync(ofReplica: 0);

        Assert.Contains(cluster.Told, told => SimulatedCluster.Are(told.Replicas, 1));
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 1, 2) && cluster.Version.Arriving.IsEmpty);
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
    }

    [Fact]
    public async Task Lost_WhileItArrives_ArrivesElsewhere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        var gate = new TaskCompletionSource();
        cluster.Gate = gate.Task;
        var applied = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 1);
        var silo = cluster.Version.Arriving.Single().Silo;

        cluster.Membership.Set(silo, SiloStatus.Dead);
        await cluster.Model.SilosLostAsync([silo]).AsTask().Soon();
        gate.SetResult();
        await applied;

        Assert.NotEqual(silo, cluster.Version.Replicas.Single().Silo);
    }

    [Fact]
    public async Task Leave_InUse_IsReplacedBeforeItEnds()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0);
        var port = cluster.InMemory[0];
        var gate = new TaskCompletionSource();
        cluster.Gate = gate.Task;
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(port), Capacity = 1, Draining = true });

        var left = LeaveAsync(cluster, port);
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Arriving, 1));

        Assert.Equal([0], cluster.InMemory.Keys);
        gate.SetResult();
        await left;
        Assert.Equal([1], cluster.Serving);
        Assert.Equal("its silo leaves", cluster.Version.Cause);
        Assert.NotEqual(port, Assert.Single(cluster.InMemory).Value);
        Assert.All(cluster.Told, told => Assert.False(told.OnDemand));
    }

    [Fact]
    public async Task Leave_NotInUse_WaitsForItsNextRequest()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");

        await LeaveAsync(cluster, cluster.InMemory[0]);

        Assert.True(cluster.Version.OnDemand);
        Assert.Empty(cluster.InMemory);
    }

    [Fact]
    public async Task Leave_NotInUseOfTwoAtLeast_HasTwoElsewhere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        var port = cluster.InMemory[0];
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(port), Capacity = 1L << 30, Draining = true });

        await LeaveAsync(cluster, port);

        await cluster.UntilAsync(() => cluster.Version.Replicas.Length == 2);
        Assert.DoesNotContain(port, cluster.InMemory.Values);
    }

    [Fact]
    public async Task Leave_NoOtherSiloTakesIt_ItStays()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0);
        var port = cluster.InMemory[0];
        cluster.BrokenSilos[SimulatedCluster.Silo(port == 1001 ? 1002 : 1001)] = true;

        await LeaveAsync(cluster, port);

        Assert.Equal(port, cluster.InMemory[0]);
        Assert.Equal((false, 0), (cluster.Version.OnDemand, cluster.Version.Arriving.Length));
        Assert.Equal([0], cluster.Serving);
    }

    private static Task LeaveAsync(SimulatedCluster cluster, int port) =>
        cluster.Model.LeaveSiloAsync(SimulatedCluster.Silo(port), CancellationToken.None).AsTask().Soon();

    [Fact]
    public async Task SilosLost_AChangeAndARequestLoadOnTheOneThatIsLeft_OneOfTheTwoServes()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        await cluster.UntilAsync(() => cluster.Version.Replicas.Length == 2);
        var gate = new TaskCompletionSource();
        cluster.Gate = gate.Task;
        await cluster.LoseSiloAsync(ofReplica: 0);
        await cluster.UntilAsync(() => cluster.Loads.Count == 3);
        await cluster.LoseSiloAsync(ofReplica: 1);
        var asked = cluster.AskAsync();
        await cluster.UntilAsync(() => cluster.Loads.Count == 4);

        gate.SetResult();

        await asked;
        await cluster.UntilAsync(() => cluster.Version is { Replicas.Length: > 0, Arriving.IsEmpty: true });
        Assert.Single(cluster.Version.Replicas);
    }
}
