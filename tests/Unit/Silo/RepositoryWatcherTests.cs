using Cluster.Contracts.Errors;
using Cluster.Grains.Repository;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Traffic;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class RepositoryWatcherTests : RepositoryWatcherTestBase
{
    [Fact]
    public async Task Start_RegistryBeingRestored_WaitsForIt()
    {
        var restoring = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Restoring = restoring.Task;
        await StartAsync();

        Assert.False(Published.InitialLoadFinished);
        restoring.SetResult();
        await InitialLoad.Task.Soon();
    }

    [Fact]
    public async Task Tick_NameThatAClientHasTaken_IsToldOnceAndServedWhenItIsFree()
    {
        Grains.Model("a").Gate = Task.FromException(new ServingException(new Failure(StatusCode.AlreadyExists, "model 'a' is taken")));
        await StartAndLoadAsync();
        await TickAsync();
        Assert.Single(Logged.Entries, entry => entry is { Id.Id: 4004, Message: "Did not serve a model of the repository: model 'a' is taken" });

        Grains.Model("a").Gate = Task.CompletedTask;
        await TickAsync();
        var tries = Applied("a").Count();
        await TickAsync();

        Assert.True(tries > 1);
        Assert.Equal(tries, Applied("a").Count());
        Assert.DoesNotContain(Logged.Entries, entry => entry.Id == 4001);
    }

    [Fact]
    public async Task Start_EveryModelTried_FinishesTheInitialLoad()
    {
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Grains.Model("b").Gate = loading.Task;
        await StartAsync();

        Assert.False(Published.InitialLoadFinished);
        loading.SetResult();
        await InitialLoad.Task.Soon();

        Assert.Equal(["a: 1", "b: 1"], Applied("a").Concat(Applied("b")));
        Assert.False(Grains.Model("a").Applied[0].RetryFailed);
    }

    [Fact]
    public async Task Start_ModelFails_IsLoggedAndHoldsUpNoOther()
    {
        Grains.Model("a").Gate = Task.FromException(new InvalidOperationException("no storage"));
        await StartAsync();

        await InitialLoad.Task.Soon();

        Assert.Single(Logged.Entries, entry => entry is { Id.Id: 4001, Message: "Could not change a" });
        Assert.Equal(["b: 1"], Applied("b"));
    }

    [Fact]
    public async Task Tick_ChangeThatFailed_IsHandedOverUntilItIsTakenAndLoggedOnce()
    {
        await StartAndLoadAsync();
        Grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        Repository.Put("a", "2");
        await TickAsync();
        await TickAsync();
        Assert.Single(Logged.Entries, entry => entry.Id == 4017);
        Assert.DoesNotContain(Logged.Entries, entry => entry.Exception is not null);

        Grains.Model("a").Gate = Task.CompletedTask;
        await TickAsync();
        var tries = Applied("a").Count();
        await TickAsync();

        Assert.Equal("a: 2", Applied("a").Last());
        Assert.True(tries > 3);
        Assert.Equal(tries, Applied("a").Count());
        Assert.Equal(["b: 1"], Applied("b"));
    }

    [Fact]
    public async Task Tick_RemovalThatFailed_IsHandedOverUntilItIsTaken()
    {
        await StartAndLoadAsync();
        Grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        Repository.Remove("a");
        await TickAsync();

        Grains.Model("a").Gate = Task.CompletedTask;
        await TickAsync();
        var tries = Applied("a").Count();
        await TickAsync();

        Assert.True(tries > 2);
        Assert.Equal("a: gone", Applied("a").Last());
        Assert.Equal(tries, Applied("a").Count());
    }

    [Fact]
    public async Task Read_ModelWhoseChangeFailed_SaysSoAndTheNextHandsItOverAgain()
    {
        await StartAndLoadAsync();
        Grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        Repository.Put("a", "2");
        await Assert.ThrowsAsync<SiloUnavailableException>(() => Watcher!.ReadAsync("a", CancellationToken.None).Soon());

        Grains.Model("a").Gate = Task.CompletedTask;
        Assert.True(await Watcher!.ReadAsync("a", CancellationToken.None).Soon());

        Assert.Equal(["a: 1", "a: 2", "a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Start_UnusableRepository_EndsTheStart()
    {
        Repository.Failure = new RepositoryConfigurationException("no such folder");

        await Assert.ThrowsAsync<RepositoryConfigurationException>(StartAsync);
    }

    [Fact]
    public async Task Tick_OneModelChanged_HandsOverThatOne()
    {
        await StartAndLoadAsync();
        Repository.Put("a", "2");

        await TickAsync();

        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
        Assert.Equal(["b: 1"], Applied("b"));
    }

    [Fact]
    public async Task Tick_ModelGone_HandsOverThatItIsGoneOnce()
    {
        await StartAndLoadAsync();
        Repository.Remove("a");

        await TickAsync();
        await TickAsync();

        Assert.Equal(["a: 1", "a: gone"], Applied("a"));
        Repository.Put("a", "1");
        await TickAsync();
        Assert.Equal(["a: 1", "a: gone", "a: 1"], Applied("a"));
    }

    [Fact]
    public async Task Tick_ScanThrows_IsLoggedAndTheWatchingGoesOn()
    {
        await StartAndLoadAsync();
        Repository.Failure = new IOException("stale file handle");
        await TickAsync();
        Repository.Failure = null;
        Repository.Put("a", "2");

        await TickAsync();

        Assert.Contains(Logged.Entries, entry => entry.Id == 4003 && entry.Exception is IOException);
        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Tick_WhileAModelStillLoads_HandsOverTheOthers()
    {
        await StartAndLoadAsync();
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Grains.Model("a").Gate = loading.Task;
        Repository.Put("a", "2");
        await TickAsync();
        Repository.Put("b", "2");

        await TickAsync();

        Assert.Equal(["b: 1", "b: 2"], Applied("b"));
        loading.SetResult();
    }

    [Fact]
    public async Task Reload_Asked_HandsOverEverythingWithARetryAndWaits()
    {
        await StartAndLoadAsync();
        Repository.Problems = ["config.json is gone"];
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Grains.Model("b").Gate = loading.Task;

        var reload = Watcher!.ReloadAsync(CancellationToken.None);
        Assert.False(reload.IsCompleted);
        loading.SetResult();

        Assert.Equal(["config.json is gone"], await reload.Soon());
        Assert.Equal(["a: 1", "a: 1"], Applied("a"));
        Assert.True(Grains.Model("a").Applied[1].RetryFailed);
    }

    [Fact]
    public async Task Reload_ProblemsWithPathsOfTheServer_NameTheLastPartAlone()
    {
        Repository.PutBroken("a", "'/tmp/secret/a' cannot be read: permission denied", "'/tmp/secret/1' leads nowhere");
        await StartAndLoadAsync();
        Repository.Problems = ["models: there is no folder '/tmp/secret place/models'; the models known before stay"];

        Assert.Equal(["models: there is no folder 'models'; the models known before stay"], await Watcher!.ReloadAsync(CancellationToken.None).Soon());
        var handed = Grains.Model("a").Applied[0].Registration;
        Assert.Equal(("'a' cannot be read: permission denied", "'1' leads nowhere"), (handed.Problem, handed.Versions[0].Problem));
    }

    [Fact]
    public async Task Reload_CallerGivesUp_EndsTheWaitAlone()
    {
        await StartAndLoadAsync();
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Grains.Model("a").Gate = loading.Task;
        using var giveUp = new CancellationTokenSource();
        var reload = Watcher!.ReloadAsync(giveUp.Token);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reload.Soon());
        loading.SetResult();
    }

    [Fact]
    public async Task PollSeconds_Zero_LooksOnlyWhenAsked()
    {
        Options.PollSeconds = 0;
        await StartAsync();
        await InitialLoad.Task.Soon();
        await Time.Armed.Soon();

        Time.Clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(2, Repository.Scans);
        await Watcher!.ReloadAsync(CancellationToken.None).Soon();
        Assert.Equal(3, Repository.Scans);
    }

    [Fact]
    public async Task PollSeconds_ZeroAndAChangeThatFailed_HandsThatOneOverAgain()
    {
        Options.PollSeconds = 0;
        Grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        await StartAsync();
        await InitialLoad.Task.Soon();
        await Time.Armed.Soon();
        Grains.Model("a").Gate = Task.CompletedTask;
        Repository.Put("b", "2");

        var scan = Repository.NextScan;
        Time.Clock.Advance(TimeSpan.FromSeconds(5));
        await scan.Soon();

        await TrafficRouterTests.UntilAsync(() => Grains.Model("a").Applied.Count == 2);
        Assert.Equal(["a: 1", "a: 1", "b: 1"], Applied("a").Concat(Applied("b")));
    }

    [Fact]
    public async Task Start_FirstLookFails_IsMadeAgain()
    {
        Serve("gone");
        Agreement.Others.AddRange([Holding("a", "b"), Holding("a", "b")]);
        Agreement.Failure = new TimeoutException("the silo that was lost had the call");
        await StartAsync();
        await Time.Armed.Soon();
        Agreement.Failure = null;
        Time.Clock.Advance(TimeSpan.FromSeconds(1));

        await InitialLoad.Task.Soon();
        Assert.Equal(["a: 1", "b: 1", "gone: gone"], Applied("a").Concat(Applied("b")).Concat(Applied("gone")));
    }

    [Fact]
    public async Task Start_ControllerElsewhere_WaitsUntilItIsHere()
    {
        Duty.End();
        await StartAsync();
        Assert.Empty(Applied("a"));
        Repository.Put("a", "2");

        Duty.Begin();

        await InitialLoad.Task.Soon();
        Assert.Equal(["a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Read_OneModelThatIsNewOrChanged_HandsItOverAndWaits()
    {
        await StartAndLoadAsync();
        Repository.Put("a", "2");
        Repository.Put("c", "1");

        Assert.True(await Watcher!.ReadAsync("c", CancellationToken.None).Soon());
        Assert.Equal(["a: 1"], Applied("a"));
        Assert.Equal(["c: 1"], Applied("c"));
        Assert.True(await Watcher.ReadAsync("a", CancellationToken.None).Soon());
        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
        Assert.False(await Watcher.ReadAsync("nowhere", CancellationToken.None).Soon());
    }
}
