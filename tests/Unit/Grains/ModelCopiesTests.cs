using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelCopiesTests
{
    private static readonly ModelSettings Two = new() { MinCopies = 2 };

    [Fact]
    public async Task Apply_TwoCopiesAtLeast_LoadsThemOnTwoSilos()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);

        await cluster.ApplyAsync("r1", Two);

        Assert.Equal([0, 1], cluster.Version.Copies.ToArray());
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
        Assert.Equal(
            cluster.InMemory.Select(copy => (copy.Key, SimulatedCluster.Silo(copy.Value).ToParsableString())),
            cluster.Version.Placements.Select(placement => (placement.Copy, placement.Silo)));
    }

    [Fact]
    public async Task Apply_MoreCopiesThanSilos_HasOneOnEach()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);

        await cluster.ApplyAsync("r1", new ModelSettings { MinCopies = 5 });

        Assert.Equal(2, cluster.Version.Copies.Length);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Apply_NewContent_ReplacesAllCopiesInOneStep(int silos)
    {
        await using var cluster = await SimulatedCluster.StartAsync(silos);
        await cluster.ApplyAsync("r1", Two);

        await cluster.ApplyAsync("r2", Two);

        Assert.Equal([2, 3], cluster.Version.Copies.ToArray());
        Assert.Equal([2, 3], cluster.InMemory.Keys);
        Assert.Contains(cluster.Told, told => told.Copies is [0, 1] && told.Arriving is [2, 3]);
        Assert.All(cluster.Told.Where(told => told.Copies.Contains(2)), told => Assert.DoesNotContain(told.Copies, copy => copy < 2));
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
        Assert.Equal([0, 1], cluster.Version.Copies.ToArray());
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

        await cluster.LoseSiloAsync(ofCopy: 0);

        Assert.Contains(cluster.Told, told => told is { OnDemand: true, Placements.IsEmpty: true });
        await cluster.UntilAsync(() => cluster.Version is { OnDemand: false, Placements.Length: 1 });
        Assert.NotEqual(port, cluster.InMemory[0]);
    }

    [Fact]
    public async Task Lost_NotInUse_WaitsForItsNextRequest()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");

        await cluster.LoseSiloAsync(ofCopy: 0);
        await cluster.ApplyAsync("r1");

        Assert.True(cluster.Version.OnDemand);
        Assert.Empty(cluster.InMemory);
        await cluster.AskAsync(0);
        await cluster.UntilAsync(() => !cluster.Version.OnDemand);
    }

    [Fact]
    public async Task Lost_OneOfTwo_OtherServesAloneUntilTheThirdSiloHasOne()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", Two);

        await cluster.LoseSiloAsync(ofCopy: 0);

        Assert.Contains(cluster.Told, told => told.Copies is [1]);
        await cluster.UntilAsync(() => cluster.Version.Copies is [1, 2] && cluster.Version.Arriving.IsEmpty);
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
    }

    /// <summary>A gateway's request may load a lost copy on another silo before the model hears of the loss; that it did is heard of afterwards.</summary>
    [Fact]
    public async Task Lost_CameBackElsewhereBeforeItWasReplaced_ServesAgainAndNoneIsTooMuch()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1", Two);
        var gate = new TaskCompletionSource();
        cluster.Gate = gate.Task;
        await cluster.LoseSiloAsync(ofCopy: 1);
        await cluster.UntilAsync(() => cluster.Version is { Copies: [0], Arriving: [_] });

        await cluster.Model.ReportAsync(CopyReports.Of(1, epoch: 1000, inMemory: true, "127.0.0.1:9@9") with { Revision = "r1" }).AsTask().Soon();

        await cluster.UntilAsync(() => cluster.Version.Copies is [0, 1]);
        gate.SetResult();
        await cluster.UntilAsync(() => cluster.Version is { Copies: [0, 1], Arriving.IsEmpty: true });
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
        await cluster.UntilAsync(() => cluster.Version.Arriving is [1]);

        Assert.Equal([0], cluster.InMemory.Keys);
        gate.SetResult();
        await left;
        Assert.Equal([1], cluster.Version.Copies.ToArray());
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
    public async Task Leave_NobodyElseTakesIt_ItStays()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0);
        var port = cluster.InMemory[0];
        cluster.BrokenSilos[SimulatedCluster.Silo(port == 1001 ? 1002 : 1001)] = true;

        await LeaveAsync(cluster, port);

        Assert.Equal(port, cluster.InMemory[0]);
        Assert.Equal((false, 0), (cluster.Version.OnDemand, cluster.Version.Arriving.Length));
        Assert.Equal([0], cluster.Version.Copies.ToArray());
    }

    [Fact]
    public async Task Load_MoreThanOneCopyShould_GetsAnother()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");

        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);

        await cluster.UntilAsync(() => cluster.Version.Copies is [0, 1] && cluster.Version.Arriving.IsEmpty);
        Assert.Equal(2, cluster.InMemory.Values.Distinct().Count());
        Assert.Contains(cluster.Told, told => told.Copies is [0] && told.Arriving is [1]);
    }

    [Fact]
    public async Task Evicted_OneOfTwo_IsNotBroughtBackUnlessItIsOneOfTheLeast()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        await cluster.ApplyAsync("r1");
        await cluster.ReportLoadAsync(0, requestsPerMinute: 2100);
        await cluster.UntilAsync(() => cluster.Version.Copies is [0, 1] && cluster.Version.Arriving.IsEmpty);

        await cluster.GetGrain<IModelVersionGrain>("m/1/0").UnloadAsync();
        await cluster.ApplyAsync("r1");
        Assert.Equal([1], cluster.Version.Copies.ToArray());

        await cluster.ApplyAsync("r1", Two);
        await cluster.GetGrain<IModelVersionGrain>("m/1/1").UnloadAsync();
        await cluster.UntilAsync(() => cluster.Version.Copies is [2, 3] && cluster.Version.Arriving.IsEmpty);
    }

    [Fact]
    public async Task Apply_OnlyOneSiloHasTheLabel_LoadsThere()
    {
        await using var cluster = await SimulatedCluster.StartAsync(3);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1003), Capacity = 1L << 30, Labels = ["gpu"] });

        await cluster.ApplyAsync("r1", new ModelSettings { RequiredLabels = ["gpu"], MinCopies = 2 });

        Assert.Equal(1003, Assert.Single(cluster.InMemory).Value);
        Assert.Equal([0], cluster.Version.Copies.ToArray());
    }

    [Fact]
    public async Task Apply_NoSiloHasTheLabel_SaysSoAndLoadsOnceOneHas()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1", new ModelSettings { RequiredLabels = ["gpu"] });

        Assert.Equal((ModelVersionState.Unavailable, true), (cluster.Version.State, cluster.Version.Failed));
        Assert.Contains("2 without the label 'gpu'", cluster.Version.Reason, StringComparison.Ordinal);
        cluster.SiloStates.Publish(new() { Silo = SimulatedCluster.Silo(1002), Capacity = 1L << 30, Labels = ["gpu"] });
        cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(11));
        await cluster.UntilAsync(() => cluster.Version.State == ModelVersionState.Ready);
    }

    private static Task LeaveAsync(SimulatedCluster cluster, int port) =>
        cluster.Model.LeaveSiloAsync(SimulatedCluster.Silo(port).ToParsableString(), CancellationToken.None).AsTask().Soon();
}
