using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Models;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Traffic;
using Xunit;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Unit.Registry;

public sealed class RegistryGrainTests : IAsyncLifetime
{
    /// <summary>Orleans' own, of a write that was refused.</summary>
    private const int StorageError = 102203;

    private RegistrySilo _silo = null!;

    public async ValueTask InitializeAsync() => _silo = await RegistrySilo.StartAsync();

    public async ValueTask DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Register_WithoutLoad_IsLoadedByItsFirstRequest()
    {
        var status = await _silo.RegisterAsync("m", "v1");
        Assert.Equal(Status.NotLoaded, status.Status);
        Assert.Empty(status.ModelCopyInfos);
        Assert.Equal(ServingReasons.NotYetUsed, Assert.Single(_silo.States.All).Versions[0].Reason);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _silo.AskAsync("m")));

        Assert.All(answers, answer => Assert.Equal(11, answer));
        Assert.Equal("Loaded", await _silo.StatusAsync("m"));
        Assert.Single(_silo.Silo.LogSink.Entries, entry => entry.Id == 2100);
    }

    [Fact]
    public async Task Register_LoadNowAndSync_IsLoaded()
    {
        var status = await _silo.RegisterAsync("m", "v2", loadNow: true, sync: true);

        Assert.Equal(Status.Loaded, status.Status);
        var replica = Assert.Single(status.ModelCopyInfos);
        Assert.Equal(Status.Loaded, replica.CopyStatus);
        Assert.NotEmpty(replica.Location);
        Assert.Equal((ulong)_silo.Silo.Time.GetUtcNow().ToUnixTimeMilliseconds(), replica.Time);
    }

    /// <summary>The registry's entry, the replica that arrives, and the replica that serves.</summary>
    [Fact]
    public async Task Register_LoadNowAndSync_WritesThreeTimes()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);

        Assert.Equal((1, 2), (_silo.Storage.Writes("registry"), _silo.Storage.Writes("model")));
    }

    [Fact]
    public async Task Register_LoadNowAndSyncOfWhatIsRegistered_LoadsIt()
    {
        await _silo.RegisterAsync("m", "v1");

        Assert.Equal(Status.Loaded, (await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true)).Status);
    }

    [Fact]
    public async Task Register_LoadNowAndSyncWhileTheModelsSiloIsLost_LoadsIt()
    {
        var lost = _silo.Get<LostCalls>();
        (lost.Method, lost.Left) = (nameof(IModelGrain.ApplyAsync), 2);

        var registered = _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        await AdvanceUntilAsync(() => registered.IsCompleted);

        Assert.Equal(Status.Loaded, (await registered).Status);
    }

    /// <summary>That the store was away for a moment says nothing of the content.</summary>
    [Fact]
    public async Task Register_LoadNowAndSyncWhileTheStoreIsAwayForAMoment_IsLoaded()
    {
        var refused = 0;
        _silo.Storage.When = (name, _) => name == "model" && refused++ < 4;
        _silo.Storage.Refusal = "model 'm' cannot be written: Redis is unreachable, no connection";

        var registered = _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        await AdvanceUntilAsync(() => registered.IsCompleted);

        Assert.Equal(Status.Loaded, (await registered).Status);
    }

    [Fact]
    public async Task Register_LoadNowAndSyncThatTheModelCannotKeep_IsRefusedUntilItCan()
    {
        _silo.Storage.When = static (name, _) => name == "model";
        _silo.Storage.Refusal = "model 'm' cannot be written: Redis refuses it, its memory is full";
        var first = _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        await AdvanceUntilAsync(() => first.IsCompleted);
        await Assert.ThrowsAsync<SiloUnavailableException>(() => first);
        _silo.Storage.Refusal = null;

        var second = _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        await AdvanceUntilAsync(() => second.IsCompleted);

        Assert.Equal(Status.Loaded, (await second).Status);
        var model = new GrainState<ModelGrainState>();
        await _silo.Storage.ReadStateAsync("model", _silo.Silo.Get<IModelGrain>("m").GetGrainId(), model);
        Assert.Equal((RegistrationOrigin.Registered, 1), (model.State!.Registration!.Origin, model.State.Loaded.Count));
    }

    [Fact]
    public async Task Register_LoadNow_SaysThatItLoads()
    {
        var status = await _silo.RegisterAsync("m", "v2", loadNow: true);

        Assert.Contains(status.Status, new[] { Status.Loading, Status.Loaded });
        await _silo.Registry("m").EnsureLoadedAsync("m", CancellationToken.None).AsTask().Soon();
        Assert.Equal("Loaded", await _silo.StatusAsync("m"));
    }

    [Fact]
    public async Task Register_SameInfoAgain_ChangesNothing()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);

        var status = await _silo.RegisterAsync("m", "v1");

        Assert.Equal(Status.Loaded, status.Status);
    }

    /// <summary>The first to register it pays for its room on the silos, whichever client registers it again.</summary>
    [Fact]
    public async Task Register_ByAClient_IsThatClientsForGood()
    {
        var info = new RegisteredInfo("onnx", "v1", "");
        await _silo.Models.RegisterAsync("m", info with { Owner = new CallerShare(1, 300) }, loadNow: true, sync: true, CancellationToken.None).Soon();
        await _silo.Models.RegisterAsync("m", info with { Owner = new CallerShare(2, 100) }, loadNow: true, sync: true, CancellationToken.None).Soon();

        Assert.True(_silo.Get<IRegistrations>().TryGet("m", out var registration));
        Assert.Equal(new CallerShare(1, 300), registration.Owner);
    }

    [Theory]
    [InlineData("v2", "onnx", "")]
    [InlineData("v1", "mt:onnx", "")]
    [InlineData("v1", "onnx", "{}")]
    public async Task Register_OtherInfo_AlreadyExists(string path, string type, string key)
    {
        await _silo.RegisterAsync("m", "v1");

        var failure = await FailureOfAsync(() => _silo.RegisterAsync("m", path, type: type, key: key));

        Assert.Equal(StatusCode.AlreadyExists, failure.Code);
        Assert.Equal(11, await _silo.AskAsync("m"));
    }

    [Fact]
    public async Task Register_NameOfARepositoryModel_AlreadyExists()
    {
        await _silo.ServeFromRepositoryAsync("m", 2);

        Assert.Equal(StatusCode.AlreadyExists, (await FailureOfAsync(() => _silo.RegisterAsync("m", "v1"))).Code);
        Assert.Equal(StatusCode.FailedPrecondition, (await FailureOfAsync(() => _silo.Models.UnregisterAsync("m").AsTask().Soon())).Code);
        Assert.Equal(12, await _silo.AskAsync("m"));
        Assert.Equal(ModelEntry.Types.Origin.Repository, Assert.Single(await _silo.Models.ListAsync()).Origin);
    }

    [Fact]
    public async Task Repository_NameOfARegisteredModel_IsServedWhenThatIsGone()
    {
        await _silo.RegisterAsync("m", "v1");
        var failure = await FailureOfAsync(() => _silo.ServeFromRepositoryAsync("m", 2));
        Assert.Equal(StatusCode.AlreadyExists, failure.Code);
        Assert.Equal(11, await _silo.AskAsync("m"));

        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        await _silo.Registry("m").SettleAsync("m", CancellationToken.None).AsTask().Soon();
        await _silo.ServeFromRepositoryAsync("m", 2);

        Assert.Equal(12, await _silo.AskAsync("m"));
    }

    [Fact]
    public async Task Register_WithoutAFolderForIt_IsRefused()
    {
        await using var silo = await RegistrySilo.StartAsync(root: false);

        var failure = await FailureOfAsync(() => silo.RegisterAsync("m", "v1"));

        Assert.Equal(StatusCode.FailedPrecondition, failure.Code);
        Assert.Contains("--registered-models", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Register_ContentThatDoesNotLoad_IsAStatusNotAnError()
    {
        var status = await _silo.RegisterAsync("m", "bad", loadNow: true, sync: true);

        Assert.Equal(Status.LoadingFailed, status.Status);
        Assert.StartsWith("version 1: ", Assert.Single(status.Errors), StringComparison.Ordinal);
        Assert.Equal(Status.LoadingFailed, Assert.Single(status.ModelCopyInfos).CopyStatus);
        Assert.Single(_silo.Silo.LogSink.Entries, entry => entry.Id == 2101);
        Assert.Equal(StatusCode.Unavailable, (await _silo.SendAsync("m")).Reply.Failure!.Code);
    }

    [Fact]
    public async Task Infer_ContentThatDoesNotLoad_IsTriedOnceForAllThatWait()
    {
        await _silo.RegisterAsync("m", "bad");

        var replies = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _silo.SendAsync("m")));

        Assert.All(replies, reply => Assert.Equal(StatusCode.Unavailable, reply.Reply.Failure!.Code));
        Assert.Single(_silo.Silo.LogSink.Entries, entry => entry.Id == 2101);
    }

    [Fact]
    public async Task EnsureLoaded_FilesPutRight_Loads()
    {
        await _silo.RegisterAsync("m", "bad", loadNow: true, sync: true);
        _silo.MendBad();

        var status = await _silo.Models.LoadAsync("m", sync: true, CancellationToken.None).Soon();

        Assert.Equal(Status.Loaded, status.Status);
        Assert.Empty(status.Errors);
        Assert.Equal(13, await _silo.AskAsync("m"));
    }

    [Fact]
    public async Task EnsureLoaded_PathThatAppearsLater_Loads()
    {
        var status = await _silo.RegisterAsync("m", "late", loadNow: true, sync: true);
        Assert.Equal(["there is no 'late'"], status.Errors);
        _silo.Folder.AddVersion("late", 1, Path.Combine(TestPaths.TestModels, "multi", "1", "model.onnx"));

        Assert.Equal(Status.Loaded, (await _silo.Models.LoadAsync("m", sync: true, CancellationToken.None).Soon()).Status);
    }

    [Fact]
    public async Task EnsureLoaded_UnknownModel_NotFound() => Assert.Equal(
        StatusCode.NotFound, (await FailureOfAsync(() => _silo.Models.LoadAsync("m", sync: true, CancellationToken.None).Soon())).Code);

    [Fact]
    public async Task EnsureLoaded_UnloadedOnRequest_LoadsAgain()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        await _silo.Silo.Get<IModelGrain>("m").UnloadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal("NotLoaded", await _silo.StatusAsync("m"));

        await _silo.Models.LoadAsync("m", sync: true, CancellationToken.None).Soon();

        Assert.Equal(11, await _silo.AskAsync("m"));
    }

    [Fact]
    public async Task Unregister_AfterAWriteThatTookEffectUnanswered_UnloadsTheModel()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        var (grain, kept) = (_silo.Silo.Get<IModelGrain>("m").GetGrainId(), new GrainState<ModelGrainState>());
        await _silo.Storage.ReadStateAsync("model", grain, kept);
        await _silo.Storage.WriteStateAsync("model", grain, kept);
        _silo.Silo.ExpectedErrors.Add(StorageError);

        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        await _silo.Registry("m").SettleAsync("m", CancellationToken.None).AsTask().Soon();

        Assert.Empty(_silo.States.All);
        Assert.Single(_silo.Silo.LogSink.Entries, entry => entry.Id == 2102);
    }

    [Fact]
    public async Task Unregister_TheModelsSiloIsLostMeanwhile_TellsTheModelAgain()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        var lost = _silo.Get<LostCalls>();
        (lost.Method, lost.Left) = (nameof(IModelGrain.ApplyAsync), 2);

        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        await TrafficRouterTests.UntilAsync(() =>
        {
            _silo.Silo.Time.Advance(TimeSpan.FromMilliseconds(500));
            return !_silo.States.All.Any();
        });
        await _silo.Registry("m").SettleAsync("m", CancellationToken.None).AsTask().Soon();

        Assert.Empty(_silo.States.All);
        Assert.InRange(lost.Left, int.MinValue, -1);
    }

    [Fact]
    public async Task Unregister_TheModelCannotKeepIt_TellsItAgainUntilItCan()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        _silo.Storage.When = static (name, _) => name == "model";
        _silo.Storage.Refusal = "model 'm' cannot be written: Redis refuses it, its memory is full";

        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        await AdvanceUntilAsync(() => _silo.Silo.LogSink.Entries.Any(entry => entry.Id == 2142));
        Assert.Single(_silo.States.All);
        _silo.Storage.Refusal = null;

        await AdvanceUntilAsync(() => !_silo.States.All.Any());
    }

    [Fact]
    public async Task Register_AgainAfterTheModelCouldNotKeepIt_IsKnown()
    {
        _silo.Storage.When = static (name, _) => name == "model";
        _silo.Storage.Refusal = "model 'm' cannot be written: Redis refuses it, its memory is full";
        var first = _silo.RegisterAsync("m", "v1");
        await AdvanceUntilAsync(() => first.IsCompleted);
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<ServingException>(() => first)).Failure.Code);
        _silo.Storage.Refusal = null;

        var second = _silo.RegisterAsync("m", "v1");
        await AdvanceUntilAsync(() => second.IsCompleted);
        Assert.Equal(Status.NotLoaded, (await second).Status);
        Assert.Equal(11, await _silo.AskAsync("m"));
    }

    private Task AdvanceUntilAsync(Func<bool> isSo) => TrafficRouterTests.UntilAsync(() =>
    {
        _silo.Silo.Time.Advance(TimeSpan.FromMilliseconds(500));
        return isSo();
    });

    [Fact]
    public async Task Start_AfterTheSiloThatUnregisteredWasLostBeforeItToldTheModel_TellsIt()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);
        var (registry, stored) = (_silo.Registry("m").GetGrainId(), new GrainState<RegistryState>());
        await _silo.Storage.ReadStateAsync("registry", registry, stored);
        stored.State = stored.State! with { Entries = stored.State.Entries.Remove("m"), Leaving = ["m"] };
        await _silo.Storage.WriteStateAsync("registry", registry, stored);

        await using var next = await RegistrySilo.StartAsync(_silo);
        await next.Registry("m").RestoreAsync(CancellationToken.None).AsTask().Soon();

        var model = new GrainState<ModelGrainState>();
        await _silo.Storage.ReadStateAsync("model", _silo.Silo.Get<IModelGrain>("m").GetGrainId(), model);
        Assert.False(model.RecordExists);
    }

    [Fact]
    public async Task Unregister_LoadedModel_IsGoneAndMayComeBackAsAnother()
    {
        await _silo.RegisterAsync("m", "v1", loadNow: true, sync: true);

        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        await _silo.Models.UnregisterAsync("m").AsTask().Soon();
        Assert.Equal("NotFound", await _silo.StatusAsync("m"));
        await _silo.RegisterAsync("m", "v2");

        Assert.Equal(12, await _silo.AskAsync("m"));
    }

    [Fact]
    public async Task GetStatus_UnknownModel_IsAStatus() => Assert.Equal("NotFound", await _silo.StatusAsync("unknown"));

    [Fact]
    public async Task Register_ManyAtOnce_EachIsThereOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => _silo.RegisterAsync($"m{i % 100:000}", "v1")));

        var models = await _silo.Models.ListAsync().Soon();

        Assert.Equal(Enumerable.Range(0, 100).Select(i => $"m{i:000}"), models.Select(model => model.ModelId));
        Assert.All(models, model => Assert.Equal(("v1", Status.NotLoaded), (model.ModelInfo.Path, model.Status.Status)));
    }

    [Fact]
    public async Task Acquire_Model_StaysUntilEveryAliasHasLetGo()
    {
        await _silo.RegisterAsync("m", "v1");
        await AcquireAsync("a");
        await AcquireAsync("a");
        await AcquireAsync("b");

        var failure = await FailureOfAsync(() => _silo.Models.UnregisterAsync("m").AsTask().Soon());
        Assert.Equal((StatusCode.FailedPrecondition, "model 'm' has referents: the aliases 'a', 'b'"), (failure.Code, failure.Message));
        await _silo.Registry("m").ReleaseAsync("m", "a").AsTask().Soon();
        await FailureOfAsync(() => _silo.Models.UnregisterAsync("m").AsTask().Soon());
        await _silo.Registry("m").ReleaseAsync("m", "b").AsTask().Soon();
        await _silo.Models.UnregisterAsync("m").AsTask().Soon();

        Assert.Equal("NotFound", await _silo.StatusAsync("m"));

        Task AcquireAsync(string alias) => _silo.Registry("m").AcquireAsync("m", alias, null, autoDelete: false).AsTask().Soon();
    }

    private static async Task<Failure> FailureOfAsync(Func<Task> action) => (await Assert.ThrowsAsync<ServingException>(action)).Failure;
}
