using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Grains.Repository;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Silo;

/// <summary>Silos whose repositories differ.</summary>
public sealed class RepositoryAgreementTests : RepositoryWatcherTestBase
{
    [Fact]
    public async Task Start_EmptyFolderWhereOthersServe_TakesNothingAndLeavesTheWatching()
    {
        Repository.Remove("a");
        Repository.Remove("b");
        Serve("a", "b");
        Agreement.Others.AddRange([Holding("a", "b"), Holding("a", "b")]);

        await StartAndLoadAsync();

        Assert.Empty(Applied("a").Concat(Applied("b")));
        Assert.Equal((false, true), (Standing.Agrees, Agreement.HasLeft));
        Assert.Equal("most silos hold other content of 'a', 'b'", Standing.Problem);
        Assert.Single(Logged.Entries, entry => entry.Id == 4010);
    }

    [Fact]
    public async Task Start_EmptyFolderOfTheOnlySilo_TakesNothingUntilItHasOneOfThem()
    {
        Repository.Remove("a");
        Repository.Remove("b");
        Serve("a", "b");
        await StartAndLoadAsync();
        await TickAsync();
        Assert.Empty(Applied("a").Concat(Applied("b")));
        Assert.Equal("it holds none of the 2 models that the cluster served, such as 'a', 'b'", Standing.Problem);

        Repository.Put("a", "1");
        await TickAsync();

        Assert.True(Standing.Agrees);
        Assert.Equal(["a: 1", "b: gone"], Applied("a").Concat(Applied("b")));
    }

    [Fact]
    public async Task Tick_StaleContentOnOneOfThree_IsHeldBackThere()
    {
        Agreement.Others.AddRange([Holding("a", "b"), Holding("a", "b")]);
        await StartAndLoadAsync();
        Grains.Controller.HandedOver = Standing.HandedOver;
        Repository.Put("a", "0");

        await TickAsync();

        Assert.Equal(["a: 1"], Applied("a"));
        Assert.True(Agreement.HasLeft);
        Assert.False(Standing.Agrees);
    }

    [Fact]
    public async Task Tick_ModelGoneFromEveryFolder_IsHandedOverAsGoneWhenTheLastHasLostIt()
    {
        var (one, two) = (Holding("a", "b"), Holding("a", "b"));
        Agreement.Others.AddRange([one, two]);
        await StartAndLoadAsync();
        Repository.Remove("a");
        one.Remove("a");
        await TickAsync();
        Assert.Equal(["a: 1"], Applied("a"));
        Assert.Single(Logged.Entries, entry => entry.Id == 4012);

        two.Remove("a");
        await TickAsync();

        Assert.Equal(["a: 1", "a: gone"], Applied("a"));
    }

    [Fact]
    public async Task Tick_NewModel_IsHandedOverWithoutAsking()
    {
        Agreement.Others.Add(Holding("a", "b"));
        await StartAndLoadAsync();
        Repository.Put("c", "1");

        await TickAsync();

        Assert.Equal(["c: 1"], Applied("c"));
        Assert.Equal(0, Agreement.Asked);
    }

    [Fact]
    public async Task Compare_SiloThatLacksAModel_AgreesWhenItHasIt()
    {
        Duty.End();
        var whole = new FakeRepository();
        whole.Put("a", "1");
        whole.Put("c", "1");
        Grains.Controller.HandedOver = whole.Scan().Models.ToImmutableDictionary(model => model.Key, model => RepositoryVote.Fingerprint(model.Value)!);
        await StartAsync();
        await Time.Armed.Soon();
        Assert.Equal("of the 2 models that the cluster serves it lacks, or holds with other content, 'c'", Standing.Problem);

        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Standing.Changed += changed.SetResult;
        Repository.Put("c", "1");
        Time.Clock.Advance(Poll);
        await changed.Task.Soon();

        Assert.True(Standing.Agrees);

        Assert.Empty(Applied("a"));
        Assert.Single(Logged.Entries, entry => entry.Id == 4011);
    }

    [Fact]
    public async Task Read_ModelGoneHereButNotElsewhere_SaysThatTheSilosDisagree()
    {
        Agreement.Others.Add(Holding("a", "b"));
        await StartAndLoadAsync();
        Repository.Remove("a");

        var failure = (await Assert.ThrowsAsync<ServingException>(() => Watcher!.ReadAsync("a", CancellationToken.None).Soon())).Failure;

        Assert.Equal(StatusCode.FailedPrecondition, failure.Code);
        Assert.Equal("the silos' repositories hold different content of 'a'; it stays as it is until they agree", failure.Message);
        Assert.Equal(["a: 1"], Applied("a"));
    }
}
