using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelReplicasTests
{
    [Fact]
    public async Task Apply_TwoCopiesAtLeast_LoadsThemOnTwoSilos()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);

        await cluster.ApplyAsync("r1", SimulatedCluster.Two);

        Assert.Equal([0, 1], cluster.Serving);
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
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);

        await ScaleAsync(new ReplicaBounds(3, null));
        Assert.Equal([0, 1, 2], cluster.Serving);
        Assert.Equal(new ReplicaBounds(3, null), cluster.States.TryGet("m", out var state) ? state.Bounds : null);

        // The repository's next word leaves it alone.
        await cluster.ApplyAsync("r2", SimulatedCluster.Two);
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
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);

        await cluster.ApplyAsync("r2", SimulatedCluster.Two);

        Assert.Equal([2, 3], cluster.Serving);
        Assert.Equal([2, 3], cluster.InMemory.Keys);
        Assert.Contains(cluster.Told, told => SimulatedCluster.Are(told.Replicas, 0, 1) && SimulatedCluster.Are(told.Arriving, 2, 3));
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
    public async Task Apply_ContentWhoseLoadTakesSilosDown_IsQuarantinedAfterThree()
    {
        await using var cluster = await SimulatedCluster.StartAsync(5);
        cluster.Runtime.ExpectedErrors.Add(2172);
        cluster.DeadlyRevision = "r1";

        var applying = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 2);
        while (await Task.WhenAny(applying, Task.Delay(10)) != applying)
        {
            cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await applying;

        Assert.Equal(3, cluster.Loads.Count);
        Assert.True(cluster.Version.Failed);
        Assert.Equal("quarantined: three silos ended while they loaded it; load the model again to try it", cluster.Version.Reason);

        // Content that loads is another matter.
        await cluster.ApplyAsync("r2");
        Assert.Single(cluster.InMemory);
    }

    [Fact]
    public async Task Apply_LastTryWhileAllSilosLoadOtherSuspects_WaitsUntilOneDoesNot()
    {
        await using var cluster = await SimulatedCluster.StartAsync(5);
        cluster.Runtime.ExpectedErrors.Add(2172);
        cluster.DeadlyRevision = "r1";
        cluster.PublishSuspects([1001, 1002, 1003, 1004, 1005]);
        var applying = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 2);
        await cluster.Model.SilosLostAsync([.. cluster.Membership.CurrentSnapshot.Members.Values.Where(static member => member.Status == SiloStatus.Dead).Select(static member => member.SiloAddress)]);
        var asked = cluster.AskAsync();
        Assert.Equal((ModelVersionState.Loading, true), (cluster.Version.State, cluster.Version.Arriving.IsEmpty));
        for (var second = 0; second < 20; second++)
        {
            cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }

        Assert.Equal(2, cluster.Loads.Count);
        Assert.False(asked.IsCompleted);
        var left = cluster.Membership.CurrentSnapshot.Members.Values.Where(static member => member.Status == SiloStatus.Active).Select(static member => member.SiloAddress.Endpoint.Port).Order().ToList();
        Assert.Equal(3, left.Count);
        cluster.PublishSuspects(left[1..]);
        while (await Task.WhenAny(applying, Task.Delay(5)) != applying)
        {
            cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(1));
        }

        await applying;
        Assert.EndsWith($"at {left[0]}", cluster.Loads.Last(), StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<ServingException>(() => asked)).Failure.Code);
    }

    [Fact]
    public async Task Apply_LastTryWhileOtherSuspectsDoNotEnd_IsMadeBesideOne()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.Runtime.ExpectedErrors.Add(2172);
        cluster.DeadlyRevision = "r1";
        cluster.PublishSuspects([1001, 1002, 1003]);
        var applying = cluster.ApplyAsync("r1");
        await cluster.UntilAsync(() => cluster.Loads.Count == 2);
        while (await Task.WhenAny(applying, Task.Delay(5)) != applying)
        {
            cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(10));
        }

        await applying;
        Assert.Equal(3, cluster.Loads.Count);
    }

    [Fact]
    public async Task Apply_SilosLostWithLoadsThatSucceedInTheEnd_AreForgotten()
    {
        await using var cluster = await SimulatedCluster.StartAsync(5);
        for (var silo = 1; silo <= 2; silo++)
        {
            var gate = new TaskCompletionSource();
            cluster.Gate = gate.Task;
            var began = cluster.Loads.Count;
            var applying = cluster.ApplyAsync("r" + silo);
            await cluster.UntilAsync(() => cluster.Loads.Count > began);
            cluster.Membership.Set(SimulatedCluster.Silo(int.Parse(cluster.Loads.Last().Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture)), SiloStatus.Dead);
            gate.SetResult();
            await applying;
        }

        Assert.Single(cluster.InMemory);
        Assert.False(cluster.Version.Failed);
    }

    [Fact]
    public async Task Apply_NewContentCorrupt_KeepsWhatServes()
    {
        await using var cluster = await SimulatedCluster.StartAsync(4);
        cluster.Runtime.ExpectedErrors.Add(2111);
        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        var before = cluster.InMemory;
        cluster.BrokenRevision = "r2";

        await cluster.ApplyAsync("r2", SimulatedCluster.Two);

        Assert.Equal(before, cluster.InMemory);
        Assert.Equal([0, 1], cluster.Serving);
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
    public async Task EnsureLoaded_MissingReplica_IsAskedAndReplaced()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        var there = new ModelReplicaId("m", 1, 0, cluster.Version.Replicas.Single().Silo);

        // What its caller did not find may be there all the same.
        await cluster.Model.EnsureLoadedAsync(1, there, CancellationToken.None).AsTask().Soon();
        Assert.Equal([0], cluster.Serving);

        await cluster.Model.EnsureLoadedAsync(1, cluster.Vanish(0), CancellationToken.None).AsTask().Soon();
        Assert.Equal([1], cluster.Serving);
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

        Assert.Equal([1], cluster.Serving);
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
    public async Task EnsureLoaded_SiloWouldHaveToEvict_OneWithRoomIsTried()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.CrowdedSilos[SimulatedCluster.Silo(1001)] = true;
        cluster.CrowdedSilos[SimulatedCluster.Silo(1002)] = true;

        await cluster.ApplyAsync("r1");

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
    }

    [Fact]
    public async Task EnsureLoaded_TheOnlySiloThatMayTakeItWouldHaveToEvict_ItDoes()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1001), Capacity = 1L << 30, Draining = true });
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1002), Capacity = 1L << 30, Draining = true });
        cluster.CrowdedSilos[SimulatedCluster.Silo(1003)] = true;

        await cluster.ApplyAsync("r1");

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(9)]
    public async Task EnsureLoaded_EverySiloWouldHaveToEvict_OneDoes(int silos)
    {
        await using var cluster = await SimulatedCluster.StartAsync(silos);
        foreach (var number in Enumerable.Range(1, silos))
        {
            cluster.CrowdedSilos[SimulatedCluster.Silo(1000 + number)] = true;
        }

        await cluster.ApplyAsync("r1");

        Assert.Single(cluster.InMemory);
        Assert.Equal(3, cluster.Loads.Count);
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
        Assert.Equal([1], cluster.Serving);
        Assert.Equal([1], cluster.InMemory.Keys);
    }

    [Fact]
    public async Task Load_MoreThanOneCopyShould_GetsAnother()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");

        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);

        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 0, 1) && cluster.Version.Arriving.IsEmpty);
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
        Assert.Contains(cluster.Told, told => SimulatedCluster.Are(told.Replicas, 0) && SimulatedCluster.Are(told.Arriving, 1));
    }

    [Fact]
    public async Task Evicted_OneOfTwo_IsNotBroughtBackUnlessItIsOneOfTheLeast()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 0, 1) && cluster.Version.Arriving.IsEmpty);

        await cluster.EvictAsync(0);
        await cluster.ApplyAsync("r1");
        Assert.Equal([1], cluster.Serving);
        Assert.Equal(SimulatedCluster.EvictedBecause, cluster.Version.Cause);

        await cluster.ApplyAsync("r1", SimulatedCluster.Two);
        await cluster.EvictAsync(1);
        await cluster.UntilAsync(() => SimulatedCluster.Are(cluster.Version.Replicas, 2, 3) && cluster.Version.Arriving.IsEmpty);
    }

    [Fact]
    public async Task Apply_OnlyOneSiloHasTheLabel_LoadsThere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1003), Capacity = 1L << 30, Labels = ["gpu"] });

        await cluster.ApplyAsync("r1", new ModelSettings { RequiredLabels = ["gpu"], MinCopies = 2 });

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
        Assert.Equal([0], cluster.Serving);
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
}
