using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Grains.Cluster;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Silo.Options;
using Cluster.Silo.Repository;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Silo;

public sealed class RepositoryWatcherTests : IRegistryRestorer, IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly FakeRepository _repository = new();
    private readonly FakeGrains _grains = new();
    private readonly InMemoryServingStates _states = new();
    private readonly ControllerDuty _duty = new();
    private readonly RepositoryStanding _standing = new();
    private readonly FakeAgreement _agreement;
    private readonly ArmedTime _time = new();
    private readonly LogSink _log = new();
    private readonly LoggerFactory _loggers;
    private readonly ServeOptions _options = new() { PollSeconds = Poll.TotalSeconds };
    private readonly TaskCompletionSource _initialLoad = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _restoring = Task.CompletedTask;
    private RepositoryWatcher? _watcher;

    public RepositoryWatcherTests()
    {
        _agreement = new FakeAgreement(_duty);
        _duty.Begin();
        _loggers = new LoggerFactory([_log]);
        _states.InitialLoadCompleted += _initialLoad.SetResult;
        _repository.Put("a", "1");
        _repository.Put("b", "1");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_watcher is not null)
        {
            await _watcher.StopAsync(CancellationToken.None).Soon();
        }
    }

    public void Dispose()
    {
        _watcher?.Dispose();
        _loggers.Dispose();
        _log.Dispose();
    }

    Task IRegistryRestorer.RestoreAsync(CancellationToken cancellationToken) => _restoring;

    [Fact]
    public async Task Start_RegistryBeingRestored_WaitsForIt()
    {
        var restoring = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _restoring = restoring.Task;
        await StartAsync();

        Assert.False(_states.InitialLoadFinished);
        restoring.SetResult();
        await _initialLoad.Task.Soon();
    }

    [Fact]
    public async Task Tick_NameThatAClientHasTaken_IsToldOnceAndServedWhenItIsFree()
    {
        _grains.Model("a").Gate = Task.FromException(new ServingException(new Failure(StatusCode.AlreadyExists, "model 'a' is taken")));
        await StartAndLoadAsync();
        await TickAsync();
        Assert.Single(_log.Entries, entry => entry is { Id.Id: 4004, Message: "A model of the repository is not served: model 'a' is taken" });

        _grains.Model("a").Gate = Task.CompletedTask;
        await TickAsync();
        var tries = Applied("a").Count();
        await TickAsync();

        Assert.True(tries > 1);
        Assert.Equal(tries, Applied("a").Count());
        Assert.DoesNotContain(_log.Entries, entry => entry.Id == 4001);
    }

    [Fact]
    public async Task Start_EveryModelTried_FinishesTheInitialLoad()
    {
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _grains.Model("b").Gate = loading.Task;
        await StartAsync();

        Assert.False(_states.InitialLoadFinished);
        loading.SetResult();
        await _initialLoad.Task.Soon();

        Assert.Equal(["a: 1", "b: 1"], Applied("a").Concat(Applied("b")));
        Assert.False(_grains.Model("a").Applied[0].RetryFailed);
    }

    [Fact]
    public async Task Start_ModelFails_IsLoggedAndHoldsUpNoOther()
    {
        _grains.Model("a").Gate = Task.FromException(new InvalidOperationException("no storage"));
        await StartAsync();

        await _initialLoad.Task.Soon();

        Assert.Single(_log.Entries, entry => entry is { Id.Id: 4001, Message: "Changing a failed" });
        Assert.Equal(["b: 1"], Applied("b"));
    }

    [Fact]
    public async Task Tick_ChangeThatFailed_IsHandedOverUntilItIsTakenAndLoggedOnce()
    {
        await StartAndLoadAsync();
        _grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        _repository.Put("a", "2");
        await TickAsync();
        await TickAsync();
        Assert.Single(_log.Entries, entry => entry.Id == 4017);
        Assert.DoesNotContain(_log.Entries, entry => entry.Exception is not null);

        _grains.Model("a").Gate = Task.CompletedTask;
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
        _grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        _repository.Remove("a");
        await TickAsync();

        _grains.Model("a").Gate = Task.CompletedTask;
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
        _grains.Model("a").Gate = Task.FromException(new SiloUnavailableException("the silo that had the call was lost"));
        _repository.Put("a", "2");
        await Assert.ThrowsAsync<SiloUnavailableException>(() => _watcher!.ReadAsync("a", CancellationToken.None).Soon());

        _grains.Model("a").Gate = Task.CompletedTask;
        Assert.True(await _watcher!.ReadAsync("a", CancellationToken.None).Soon());

        Assert.Equal(["a: 1", "a: 2", "a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Start_UnusableRepository_EndsTheStart()
    {
        _repository.Failure = new RepositoryConfigurationException("no such folder");

        await Assert.ThrowsAsync<RepositoryConfigurationException>(StartAsync);
    }

    [Fact]
    public async Task Tick_OneModelChanged_HandsOverThatOne()
    {
        await StartAndLoadAsync();
        _repository.Put("a", "2");

        await TickAsync();

        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
        Assert.Equal(["b: 1"], Applied("b"));
    }

    [Fact]
    public async Task Tick_ModelGone_HandsOverThatItIsGoneOnce()
    {
        await StartAndLoadAsync();
        _repository.Remove("a");

        await TickAsync();
        await TickAsync();

        Assert.Equal(["a: 1", "a: gone"], Applied("a"));
        _repository.Put("a", "1");
        await TickAsync();
        Assert.Equal(["a: 1", "a: gone", "a: 1"], Applied("a"));
    }

    [Fact]
    public async Task Tick_ScanThrows_IsLoggedAndTheWatchingGoesOn()
    {
        await StartAndLoadAsync();
        _repository.Failure = new IOException("stale file handle");
        await TickAsync();
        _repository.Failure = null;
        _repository.Put("a", "2");

        await TickAsync();

        Assert.Contains(_log.Entries, entry => entry.Id == 4003 && entry.Exception is IOException);
        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Tick_WhileAModelStillLoads_HandsOverTheOthers()
    {
        await StartAndLoadAsync();
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _grains.Model("a").Gate = loading.Task;
        _repository.Put("a", "2");
        await TickAsync();
        _repository.Put("b", "2");

        await TickAsync();

        Assert.Equal(["b: 1", "b: 2"], Applied("b"));
        loading.SetResult();
    }

    [Fact]
    public async Task Reload_Asked_HandsOverEverythingWithARetryAndWaits()
    {
        await StartAndLoadAsync();
        _repository.Problems = ["config.json is gone"];
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _grains.Model("b").Gate = loading.Task;

        var reload = _watcher!.ReloadAsync(CancellationToken.None);
        Assert.False(reload.IsCompleted);
        loading.SetResult();

        Assert.Equal(["config.json is gone"], await reload.Soon());
        Assert.Equal(["a: 1", "a: 1"], Applied("a"));
        Assert.True(_grains.Model("a").Applied[1].RetryFailed);
    }

    [Fact]
    public async Task Reload_ProblemsWithPathsOfTheServer_NameTheLastPartAlone()
    {
        _repository.PutBroken("a", "'/tmp/secret/a' cannot be read: permission denied", "'/tmp/secret/1' leads nowhere");
        await StartAndLoadAsync();
        _repository.Problems = ["models: there is no folder '/tmp/secret place/models'; the models known before stay"];

        Assert.Equal(["models: there is no folder 'models'; the models known before stay"], await _watcher!.ReloadAsync(CancellationToken.None).Soon());
        var handed = _grains.Model("a").Applied[0].Registration;
        Assert.Equal(("'a' cannot be read: permission denied", "'1' leads nowhere"), (handed.Problem, handed.Versions[0].Problem));
    }

    [Fact]
    public async Task Reload_CallerGivesUp_EndsTheWaitAlone()
    {
        await StartAndLoadAsync();
        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _grains.Model("a").Gate = loading.Task;
        using var giveUp = new CancellationTokenSource();
        var reload = _watcher!.ReloadAsync(giveUp.Token);

        await giveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reload.Soon());
        loading.SetResult();
    }

    [Fact]
    public async Task PollSeconds_Zero_LooksOnlyWhenAsked()
    {
        _options.PollSeconds = 0;
        await StartAsync();
        await _initialLoad.Task.Soon();
        await _watcher!.ExecuteTask!.Soon();

        Assert.False(_time.Armed.IsCompleted);
        Assert.Equal(2, _repository.Scans);
        await _watcher.ReloadAsync(CancellationToken.None).Soon();
        Assert.Equal(3, _repository.Scans);
    }

    [Fact]
    public async Task Start_ControllerElsewhere_WaitsUntilItIsHere()
    {
        _duty.End();
        await StartAsync();
        Assert.Empty(Applied("a"));
        _repository.Put("a", "2");

        _duty.Begin();

        await _initialLoad.Task.Soon();
        Assert.Equal(["a: 2"], Applied("a"));
    }

    [Fact]
    public async Task Start_EmptyFolderWhereOthersServe_TakesNothingAndLeavesTheWatching()
    {
        _repository.Remove("a");
        _repository.Remove("b");
        Serve("a", "b");
        _agreement.Others.AddRange([Holding("a", "b"), Holding("a", "b")]);

        await StartAndLoadAsync();

        Assert.Empty(Applied("a").Concat(Applied("b")));
        Assert.Equal((false, true), (_standing.Agrees, _agreement.HasLeft));
        Assert.Equal("most silos hold other content of 'a', 'b'", _standing.Problem);
        Assert.Single(_log.Entries, entry => entry.Id == 4010);
    }

    [Fact]
    public async Task Start_EmptyFolderOfTheOnlySilo_TakesNothingUntilItHasOneOfThem()
    {
        _repository.Remove("a");
        _repository.Remove("b");
        Serve("a", "b");
        await StartAndLoadAsync();
        await TickAsync();
        Assert.Empty(Applied("a").Concat(Applied("b")));
        Assert.Equal("it holds none of the 2 models that the cluster served, such as 'a', 'b'", _standing.Problem);

        _repository.Put("a", "1");
        await TickAsync();

        Assert.True(_standing.Agrees);
        Assert.Equal(["a: 1", "b: gone"], Applied("a").Concat(Applied("b")));
    }

    [Fact]
    public async Task Tick_StaleContentOnOneOfThree_IsHeldBackThere()
    {
        _agreement.Others.AddRange([Holding("a", "b"), Holding("a", "b")]);
        await StartAndLoadAsync();
        _grains.Controller.HandedOver = _standing.HandedOver;
        _repository.Put("a", "0");

        await TickAsync();

        Assert.Equal(["a: 1"], Applied("a"));
        Assert.True(_agreement.HasLeft);
        Assert.False(_standing.Agrees);
    }

    [Fact]
    public async Task Tick_ModelGoneFromEveryFolder_IsHandedOverAsGoneWhenTheLastHasLostIt()
    {
        var (one, two) = (Holding("a", "b"), Holding("a", "b"));
        _agreement.Others.AddRange([one, two]);
        await StartAndLoadAsync();
        _repository.Remove("a");
        one.Remove("a");
        await TickAsync();
        Assert.Equal(["a: 1"], Applied("a"));
        Assert.Single(_log.Entries, entry => entry.Id == 4012);

        two.Remove("a");
        await TickAsync();

        Assert.Equal(["a: 1", "a: gone"], Applied("a"));
    }

    [Fact]
    public async Task Tick_NewModel_IsHandedOverWithoutAsking()
    {
        _agreement.Others.Add(Holding("a", "b"));
        await StartAndLoadAsync();
        _repository.Put("c", "1");

        await TickAsync();

        Assert.Equal(["c: 1"], Applied("c"));
        Assert.Equal(0, _agreement.Asked);
    }

    [Fact]
    public async Task Compare_SiloThatLacksAModel_AgreesWhenItHasIt()
    {
        _duty.End();
        var whole = new FakeRepository();
        whole.Put("a", "1");
        whole.Put("c", "1");
        _grains.Controller.HandedOver = whole.Scan().Models.ToImmutableDictionary(model => model.Key, model => RepositoryVote.Fingerprint(model.Value)!);
        await StartAsync();
        await _time.Armed.Soon();
        Assert.Equal("of the 2 models that the cluster serves it lacks, or holds with other content, 'c'", _standing.Problem);

        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _standing.Changed += changed.SetResult;
        _repository.Put("c", "1");
        _time.Clock.Advance(Poll);
        await changed.Task.Soon();

        Assert.True(_standing.Agrees);

        Assert.Empty(Applied("a"));
        Assert.Single(_log.Entries, entry => entry.Id == 4011);
    }

    [Fact]
    public async Task Read_OneModelThatIsNewOrChanged_HandsItOverAndWaits()
    {
        await StartAndLoadAsync();
        _repository.Put("a", "2");
        _repository.Put("c", "1");

        Assert.True(await _watcher!.ReadAsync("c", CancellationToken.None).Soon());
        Assert.Equal(["a: 1"], Applied("a"));
        Assert.Equal(["c: 1"], Applied("c"));
        Assert.True(await _watcher.ReadAsync("a", CancellationToken.None).Soon());
        Assert.Equal(["a: 1", "a: 2"], Applied("a"));
        Assert.False(await _watcher.ReadAsync("nowhere", CancellationToken.None).Soon());
    }

    [Fact]
    public async Task Read_ModelGoneHereButNotElsewhere_SaysThatTheSilosDisagree()
    {
        _agreement.Others.Add(Holding("a", "b"));
        await StartAndLoadAsync();
        _repository.Remove("a");

        var failure = (await Assert.ThrowsAsync<ServingException>(() => _watcher!.ReadAsync("a", CancellationToken.None).Soon())).Failure;

        Assert.Equal(StatusCode.FailedPrecondition, failure.Code);
        Assert.Equal("the silos' repositories hold different content of 'a'; it stays as it is until they agree", failure.Message);
        Assert.Equal(["a: 1"], Applied("a"));
    }

    /// <summary>Models that the cluster serves from before.</summary>
    private void Serve(params string[] models) => Array.ForEach(models, model => _states.Publish(States.Model(model, States.Ready(1))));

    private static FakeRepository Holding(params string[] models)
    {
        var repository = new FakeRepository();
        Array.ForEach(models, model => repository.Put(model, "1"));
        return repository;
    }

    private Task StartAsync()
    {
        var comparison = new RepositoryComparison(_repository, _standing, _grains, _loggers.CreateLogger<RepositoryComparison>());
        _watcher = new RepositoryWatcher(_repository, _standing, _agreement, comparison, this, _grains, _states, _duty, _options, _time, _loggers.CreateLogger<RepositoryWatcher>());
        return _watcher.StartAsync(CancellationToken.None);
    }

    private async Task StartAndLoadAsync()
    {
        await StartAsync();
        await _initialLoad.Task.Soon();
        await _time.Armed.Soon();
    }

    /// <summary>
    /// Lets the watcher look, and then once more: what the first look found is handed over when the second begins.
    /// </summary>
    private async Task TickAsync()
    {
        for (var look = 0; look < 2; look++)
        {
            var scan = _repository.NextScan;
            _time.Clock.Advance(Poll);
            await scan.Soon();
        }
    }

    private IEnumerable<string> Applied(string model) => _grains.Model(model).Applied.Select(
        applied => $"{applied.Registration.Name}: {(applied.Registration.Versions.IsEmpty ? "gone" : applied.Registration.Versions[0].Revision)}");

    /// <summary>A manual clock that tells when a timer was made.</summary>
    private sealed class ArmedTime : TimeProvider
    {
        private readonly TaskCompletionSource _armed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ManualTimeProvider Clock { get; } = new();

        public Task Armed => _armed.Task;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = Clock.CreateTimer(callback, state, dueTime, period);
            _armed.TrySetResult();
            return timer;
        }
    }
}
