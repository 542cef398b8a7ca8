using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelReplicasTests
{
    private static readonly ModelSettings Two = new() { MinCopies = 2 };

    [Fact]
    public async Task Apply_TwoCopiesAtLeast_LoadsThemOnTwoSilos()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);

        await cluster.ApplyAsync("r1", Two);

        Assert.Equal([0, 1], Serving(cluster));
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
        Assert.Equal(
            cluster.InMemory.Select(replica => (replica.Key, SimulatedCluster.Silo(replica.Value))),
            cluster.Version.Replicas.Select(replica => (replica.Number, replica.Silo)));
    }

    [Fact]
    public async Task Apply_MoreCopiesThanSilos_HasOneOnEach()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);

        await cluster.ApplyAsync("r1", new ModelSettings { MinCopies = 5 });

        Assert.Equal(2, cluster.Version.Replicas.Length);
    }

    [Fact]
    public async Task Scale_InPlaceOfTheSettings_HoldsUntilItIsTakenBack()
    {
        await using var cluster = await SimulatedCluster.StartAsync(4);
        await cluster.ApplyAsync("r1", Two);

        await ScaleAsync(new ReplicaBounds(3, null));
        Assert.Equal([0, 1, 2], Serving(cluster));
        Assert.Equal(new ReplicaBounds(3, null), cluster.States.TryGet("m", out var state) ? state.Bounds : null);

        // The repository's next word leaves it alone.
        await cluster.ApplyAsync("r2", Two);
        Assert.Equal(3, cluster.Version.Replicas.Length);

        await ScaleAsync(new ReplicaBounds(null, 1));
        Assert.Single(cluster.Version.Replicas);
        await ScaleAsync(null);
        Assert.Equal(2, cluster.Version.Replicas.Length);
        Assert.Null(cluster.States.TryGet("m", out state) ? state.Bounds : new ReplicaBounds(0, 0));

        var failure = (await Assert.ThrowsAsync<ServingException>(() => ScaleAsync(new ReplicaBounds(3, 2)))).Failure;
        Assert.Equal((StatusCode.InvalidArgument, "model 'm': max_copies is 2, less than min_copies, 3"), (failure.Code, failure.Message));

        Task ScaleAsync(ReplicaBounds? bounds) => cluster.Model.ScaleAsync(bounds, CancellationToken.None).AsTask().Soon();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Apply_NewContent_ReplacesAllCopiesInOneStep(int silos)
    {
        await using var cluster = await SimulatedCluster.StartAsync(silos);
        await cluster.ApplyAsync("r1", Two);

        await cluster.ApplyAsync("r2", Two);

        Assert.Equal([2, 3], Serving(cluster));
        Assert.Equal([2, 3], cluster.InMemory.Keys);
        Assert.Contains(cluster.Told, told => Are(told.Replicas, 0, 1) && Are(told.Arriving, 2, 3));
        Assert.All(
            cluster.Told.Where(told => told.Replicas.Any(replica => replica.Number == 2)),
            told => Assert.DoesNotContain(told.Replicas, replica => replica.Number < 2));
    }

    [Fact]
    public async Task Apply_CorruptContent_FailsOnThreeSilosAndNoMore()
    {
        await using var cluster = await SimulatedCluster.StartAsync(5);
        cluster.BrokenRevision = "r1";

        await cluster.ApplyAsync("r1");

        Assert.Equal(3, cluster.Loads.Select(load => load.Split(' ')[^1]).Distinct().Count());
        Assert.Equal(3, cluster.Loads.Count);
        Assert.True(cluster.Version.Failed);
        Assert.Equal("corrupt", cluster.Version.Reason);
        Assert.Equal(3, cluster.Version.FailedOn.Length);
    }

    [Fact]
    public async Task Apply_NewContentCorrupt_KeepsWhatServes()
    {
        await using var cluster = await SimulatedCluster.StartAsync(4);
        cluster.Runtime.ExpectedErrors.Add(2111);
        await cluster.ApplyAsync("r1", Two);
        var before = cluster.InMemory;
        cluster.BrokenRevision = "r2";

        await cluster.ApplyAsync("r2", Two);

        Assert.Equal(before, cluster.InMemory);
        Assert.Equal([0, 1], Serving(cluster));
        Assert.Equal("serves its previous content, the new one does not load: corrupt", cluster.Version.Reason);
    }

    [Fact]
    public async Task Apply_SilosThatFail_LoadsOnOneThatDoesNot()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.BrokenSilos[SimulatedCluster.Silo(1001)] = true;
        cluster.BrokenSilos[SimulatedCluster.Silo(1003)] = true;

        await cluster.ApplyAsync("r1");

        Assert.Equal(1002, Assert.Single(cluster.InMemory).Value);
        Assert.False(cluster.Version.Failed);
        Assert.All(cluster.Version.FailedOn, silo => Assert.DoesNotContain(":1002@", silo, StringComparison.Ordinal));
    }

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
        await cluster.ApplyAsync("r1", Two);
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
        await cluster.ApplyAsync("r1", Two);
        Assert.Equal(ModelVersionState.Unavailable, cluster.Version.State);

        await cluster.Model.LoadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal(ModelVersionState.Ready, cluster.Version.State);
    }

    [Fact]
    public async Task Accused_OfASiloThatLives_GoesOnServing()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", Two);
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
        await cluster.ApplyAsync("r1", Two);

        await cluster.LoseSiloAsync(ofReplica: 0);

        Assert.Contains(cluster.Told, told => Are(told.Replicas, 1));
        await cluster.UntilAsync(() => Are(cluster.Version.Replicas, 1, 2) && cluster.Version.Arriving.IsEmpty);
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
    public async Task EnsureLoaded_MissingReplica_IsAskedAndReplaced()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        var there = new ModelReplicaId("m", 1, 0, cluster.Version.Replicas.Single().Silo);

        // What its caller did not find may be there all the same.
        await cluster.Model.EnsureLoadedAsync(1, there, CancellationToken.None).AsTask().Soon();
        Assert.Equal([0], Serving(cluster));

        await cluster.Model.EnsureLoadedAsync(1, cluster.Vanish(0), CancellationToken.None).AsTask().Soon();
        Assert.Equal([1], Serving(cluster));
        Assert.Equal([1], cluster.InMemory.Keys);
    }

    [Fact]
    public async Task EnsureLoaded_SeveralAtOnce_LoadOnce()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.EvictAsync(0);
        await cluster.UntilAsync(() => cluster.Version.OnDemand);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => cluster.AskAsync()));

        Assert.Equal([1], Serving(cluster));
        Assert.Equal(2, cluster.Loads.Count);
    }

    [Fact]
    public async Task EnsureLoaded_SiloSaysThatItIsFull_TheNextIsTried()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.FullSilos[SimulatedCluster.Silo(1001)] = true;
        cluster.FullSilos[SimulatedCluster.Silo(1002)] = true;

        await cluster.ApplyAsync("r1");

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
    }

    [Fact]
    public async Task EnsureLoaded_EverySiloIsFull_SaysSoAndServesOnDemand()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        cluster.FullSilos[SimulatedCluster.Silo(1001)] = true;
        cluster.FullSilos[SimulatedCluster.Silo(1002)] = true;
        await cluster.ApplyAsync("r1");
        Assert.True(cluster.Version.OnDemand);

        var refusal = await Assert.ThrowsAsync<ServingException>(cluster.AskAsync);

        Assert.Equal((StatusCode.ResourceExhausted, FailureKind.Full), (refusal.Failure.Code, refusal.Failure.Kind));
        Assert.True(cluster.Version.OnDemand);
        cluster.FullSilos.Clear();
        await cluster.AskAsync();
        Assert.False(cluster.Version.OnDemand);
    }

    [Fact]
    public async Task Unload_WhileItLoads_EndsTheLoad()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        cluster.Gate = new TaskCompletionSource().Task;
        var applied = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 1);

        await cluster.Model.UnloadAsync(CancellationToken.None).AsTask().Soon();

        await applied;
        Assert.Equal((ServingReasons.Unloaded, 0), (cluster.Version.Reason, cluster.Version.Arriving.Length));
        Assert.Empty(cluster.InMemory);
    }

    [Fact]
    public async Task Apply_OtherContentWhileItLoads_EndsTheLoadAndLoadsThat()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        cluster.Gate = new TaskCompletionSource().Task;
        var applied = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 1);

        var other = cluster.ApplyAsync("r2");
        cluster.Gate = Task.CompletedTask;

        await Task.WhenAll(applied, other);
        Assert.Equal([1], Serving(cluster));
        Assert.Equal([1], cluster.InMemory.Keys);
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
        await cluster.UntilAsync(() => Are(cluster.Version.Arriving, 1));

        Assert.Equal([0], cluster.InMemory.Keys);
        gate.SetResult();
        await left;
        Assert.Equal([1], Serving(cluster));
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
        await cluster.ApplyAsync("r1", Two);
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
        Assert.Equal([0], Serving(cluster));
    }

    [Fact]
    public async Task Load_MoreThanOneCopyShould_GetsAnother()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");

        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);

        await cluster.UntilAsync(() => Are(cluster.Version.Replicas, 0, 1) && cluster.Version.Arriving.IsEmpty);
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
        Assert.Contains(cluster.Told, told => Are(told.Replicas, 0) && Are(told.Arriving, 1));
    }

    [Fact]
    public async Task Evicted_OneOfTwo_IsNotBroughtBackUnlessItIsOneOfTheLeast()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);
        await cluster.UntilAsync(() => Are(cluster.Version.Replicas, 0, 1) && cluster.Version.Arriving.IsEmpty);

        await cluster.EvictAsync(0);
        await cluster.ApplyAsync("r1");
        Assert.Equal([1], Serving(cluster));
        Assert.Equal(SimulatedCluster.EvictedBecause, cluster.Version.Cause);

        await cluster.ApplyAsync("r1", Two);
        await cluster.EvictAsync(1);
        await cluster.UntilAsync(() => Are(cluster.Version.Replicas, 2, 3) && cluster.Version.Arriving.IsEmpty);
    }

    [Fact]
    public async Task Apply_OnlyOneSiloHasTheLabel_LoadsThere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1003), Capacity = 1L << 30, Labels = ["gpu"] });

        await cluster.ApplyAsync("r1", new ModelSettings { RequiredLabels = ["gpu"], MinCopies = 2 });

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
        Assert.Equal([0], Serving(cluster));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Apply_NoSiloHasTheLabel_SaysSoAndLoadsOnceOneHas(int silos)
    {
        await using var cluster = await SimulatedCluster.StartAsync(silos);
        await cluster.ApplyAsync("r1", new ModelSettings { RequiredLabels = ["gpu"] });

        Assert.Equal((ModelVersionState.Unavailable, true), (cluster.Version.State, cluster.Version.Failed));
        Assert.Contains($"{silos} without the label 'gpu'", cluster.Version.Reason, StringComparison.Ordinal);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1000 + silos), Capacity = 1L << 30, Labels = ["gpu"] });
        cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(11));
        await cluster.UntilAsync(() => cluster.Version.State == ModelVersionState.Ready);
    }

    private static IEnumerable<int> Serving(SimulatedCluster cluster) => cluster.Version.Replicas.Select(replica => replica.Number);

    private static bool Are(ImmutableArray<PlacedReplica> replicas, params int[] numbers) => replicas.Select(replica => replica.Number).SequenceEqual(numbers);

    private static Task LeaveAsync(SimulatedCluster cluster, int port) =>
        cluster.Model.LeaveSiloAsync(SimulatedCluster.Silo(port), CancellationToken.None).AsTask().Soon();
}
