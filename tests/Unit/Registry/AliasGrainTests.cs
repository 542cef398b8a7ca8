using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Gateway.ModelMesh;
using Cluster.Grains.Aliases;
using Cluster.Tests.Common;
using Cluster.Unit.Gateway.Traffic;
using Xunit;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Unit.Registry;

public sealed class AliasGrainTests : IAsyncLifetime
{
    private RegistrySilo _silo = null!;

    public async ValueTask InitializeAsync()
    {
        _silo = await RegistrySilo.StartAsync();
        await _silo.RegisterAsync("one", "v1");
    }

    public async ValueTask DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Set_NewAlias_AnswersByItsModel()
    {
        var status = await _silo.SetAsync("a", "one");

        Assert.Equal((AliasStatus.Defined, "one", "one"), (status.Status, status.ActiveModelId, status.TargetModelId));
        Assert.Equal(Status.NotLoaded, status.ActiveModelStatus.Status);
        Assert.Null(status.TargetModelStatus);
        Assert.Equal("one", await _silo.AnsweredByAsync("a"));
        Assert.Equal("one", await _silo.AnsweredByAsync("", new ModelHeader(null, "a")));
    }

    [Fact]
    public async Task Set_NewAliasWithInfoAndLoadNow_RegistersAndLoads()
    {
        var status = await _silo.SetAsync("a", "two", "v2", loadNow: true);

        Assert.Equal(Status.Loaded, status.ActiveModelStatus.Status);
        Assert.Equal(12, await _silo.AskAsync("a"));
    }

    [Theory]
    [InlineData("unknown", null, StatusCode.NotFound)]
    [InlineData("one", "v2", StatusCode.AlreadyExists)]
    [InlineData("x", "../v1", StatusCode.InvalidArgument)]
    [InlineData("a/b", null, StatusCode.InvalidArgument)]
    public async Task Set_BadTarget_LeavesNoAlias(string target, string? path, StatusCode code)
    {
        Assert.Equal(code, (await FailureOfAsync(() => _silo.SetAsync("a", target, path))).Code);
        Assert.Null(await _silo.Alias("a").GetAsync().AsTask().Soon());
        Assert.Empty(_silo.AliasTable.All);
    }

    [Fact]
    public async Task Set_NewTargetWithSync_SwitchesWhenThatIsLoaded()
    {
        await _silo.SetAsync("a", "one", loadNow: true);

        var status = await _silo.SetAsync("a", "two", "v2");

        Assert.Equal((AliasStatus.Defined, "two", Status.Loaded), (status.Status, status.ActiveModelId, status.ActiveModelStatus.Status));
        Assert.Equal(12, await _silo.AskAsync("a"));
        Assert.Equal("Loaded", await _silo.StatusAsync("one"));
    }

    [Fact]
    public async Task Set_ActiveNotLoaded_SwitchesAtOnceAndLoadsNothing()
    {
        await _silo.SetAsync("a", "one");

        var status = await _silo.SetAsync("a", "two", "v2");

        Assert.Equal(("two", Status.NotLoaded), (status.ActiveModelId, status.ActiveModelStatus.Status));
        Assert.Equal(12, await _silo.AskAsync("a"));
    }

    [Fact]
    public async Task Set_TargetThatFails_KeepsTheOldOne()
    {
        await _silo.SetAsync("a", "one", loadNow: true);

        var status = await _silo.SetAsync("a", "new", "bad");

        Assert.Equal((AliasStatus.TransitionFailed, "one", "new"), (status.Status, status.ActiveModelId, status.TargetModelId));
        Assert.Equal(Status.LoadingFailed, status.TargetModelStatus.Status);
        Assert.NotEmpty(status.TargetModelStatus.Errors);
        Assert.Equal(11, await _silo.AskAsync("a"));
        Assert.Equal(StatusCode.FailedPrecondition, (await FailureOfAsync(() => _silo.Models.UnregisterAsync("new").AsTask().Soon())).Code);
        Assert.Equal(StatusCode.FailedPrecondition, (await FailureOfAsync(() => _silo.Models.UnregisterAsync("one").AsTask().Soon())).Code);
    }

    [Fact]
    public async Task FailedTarget_LoadedByAnotherCall_IsSwitchedTo()
    {
        await SetBadAsync();
        _silo.MendBad();

        await _silo.Models.LoadAsync("new", sync: true, CancellationToken.None).Soon();

        await _silo.UntilAsync("a", state => state is { Active: "new", Failure: null });
        Assert.Equal(13, await _silo.AskAsync("a"));
    }

    [Fact]
    public async Task FailedTarget_AfterAWhile_IsTriedAgain()
    {
        await SetBadAsync();
        _silo.MendBad();
        _silo.Silo.Time.Advance(TimeSpan.FromSeconds(299));
        Assert.Equal("LoadingFailed", await _silo.StatusAsync("new"));

        _silo.Silo.Time.Advance(TimeSpan.FromSeconds(1));

        await _silo.UntilAsync("a", state => state is { Active: "new", Failure: null });
    }

    [Fact]
    public async Task FailedTarget_ThatCouldNotBeKept_IsTriedAgain()
    {
        await _silo.SetAsync("a", "one", loadNow: true);
        _silo.Storage.When = static (_, state) => state is AliasGrainState { Alias.Failure: not null };
        _silo.Storage.Refusal = "model 'm' cannot be written: Redis refuses it, its memory is full";
        await _silo.SetAsync("a", "new", "bad", sync: false);
        await TrafficRouterTests.UntilAsync(() => _silo.Silo.LogSink.Entries.Any(static entry => entry.Id == 2187));
        _silo.Storage.Refusal = null;
        _silo.MendBad();

        _silo.Silo.Time.Advance(TimeSpan.FromSeconds(5));

        await _silo.UntilAsync("a", static state => state is { Active: "new", Failure: null });
    }

    [Fact]
    public async Task FailedTarget_SetAgain_IsTriedAgain()
    {
        await SetBadAsync();
        Assert.Equal(AliasStatus.TransitionFailed, (await _silo.SetAsync("a", "new")).Status);
        _silo.MendBad();

        Assert.Equal(AliasStatus.Defined, (await _silo.SetAsync("a", "new")).Status);
    }

    [Fact]
    public async Task FailedTarget_SetBack_IsLetGo()
    {
        await SetBadAsync(new AliasChange { Target = "", AutoDelete = true });

        var status = await _silo.SetAsync("a", "one");

        Assert.Equal((AliasStatus.Defined, "one"), (status.Status, status.TargetModelId));
        Assert.Equal("NotFound", await _silo.StatusAsync("new"));
    }

    [Fact]
    public async Task FailedTarget_OtherTarget_IsReplaced()
    {
        await SetBadAsync(new AliasChange { Target = "", AutoDelete = true });

        var status = await _silo.SetAsync("a", "two", "v2");

        Assert.Equal("two", status.ActiveModelId);
        Assert.Equal("NotFound", await _silo.StatusAsync("new"));
    }

    [Fact]
    public async Task FailedTarget_Force_SwitchesAllTheSame()
    {
        await SetBadAsync();

        var status = await _silo.SetAsync("a", "new", change: new AliasChange { Target = "", Force = true });

        Assert.Equal((AliasStatus.Defined, "new", Status.LoadingFailed), (status.Status, status.ActiveModelId, status.ActiveModelStatus.Status));
    }

    [Fact]
    public async Task AutoDelete_ReplacedTarget_IsRemovedUnlessAnotherAliasRefersToIt()
    {
        await _silo.SetAsync("a", "two", "v2", new AliasChange { Target = "", AutoDelete = true }, loadNow: true);
        await _silo.SetAsync("b", "two");

        await _silo.SetAsync("a", "one");
        Assert.Equal("Loaded", await _silo.StatusAsync("two"));
        await _silo.SetAsync("b", "one");
        Assert.Equal("NotFound", await _silo.StatusAsync("two"));
        Assert.Equal("Loaded", await _silo.StatusAsync("one"));
    }

    [Fact]
    public async Task Delete_Alias_LetsGoOfItsModels()
    {
        await _silo.SetAsync("a", "two", "v2", new AliasChange { Target = "", Owner = "me", AutoDelete = true });

        await _silo.Aliases.DeleteAsync("a", "you").AsTask().Soon();
        Assert.Equal(AliasStatus.NotFound, (await _silo.Aliases.GetStatusAsync("a", "you").Soon()).Status);
        Assert.Equal("me", (await _silo.Aliases.GetStatusAsync("a", null).Soon()).Owner);
        await _silo.Aliases.DeleteAsync("a", "me").AsTask().Soon();
        await _silo.Aliases.DeleteAsync("a", null).AsTask().Soon();

        Assert.Equal(new VModelStatusInfo(), await _silo.Aliases.GetStatusAsync("a", null).Soon());
        Assert.Equal("NotFound", await _silo.StatusAsync("two"));
        Assert.Equal(StatusCode.NotFound, (await _silo.SendAsync("a")).Reply.Failure!.Code);
    }

    [Fact]
    public async Task Set_ConcurrentlyWithTheSameExpectation_OneSucceeds()
    {
        await _silo.SetAsync("a", "one");

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async i =>
        {
            try
            {
                return (await _silo.SetAsync("a", $"m{i}", "v2", new AliasChange { Target = "", Expected = "one", AutoDelete = true })).ActiveModelId;
            }
            catch (ServingException exception) when (exception.Failure.Code == StatusCode.FailedPrecondition)
            {
                return null;
            }
        }));

        var winner = Assert.Single(outcomes, outcome => outcome is not null);
        Assert.Equal(winner, (await _silo.Alias("a").GetAsync().AsTask().Soon())!.Active);
        Assert.Equal([winner, "one"], (await _silo.Models.ListAsync().Soon()).Select(model => model.ModelId));
    }

    [Fact]
    public async Task Set_ConcurrentlyWithoutGuard_TheLastOneStaysAndTheRestIsLetGo()
    {
        await _silo.SetAsync("a", "one", loadNow: true);

        await Task.WhenAll(Enumerable.Range(0, 10).Select(i =>
            _silo.SetAsync("a", $"m{i}", "v2", new AliasChange { Target = "", AutoDelete = true })));

        await _silo.UntilAsync("a", state => !state.InTransition);
        var state = (await _silo.Alias("a").GetAsync().AsTask().Soon())!;
        Assert.Equal(12, await _silo.AskAsync("a"));
        Assert.Equal([state.Active, "one"], (await _silo.Models.ListAsync().Soon()).Select(model => model.ModelId));
    }

    [Fact]
    public async Task Infer_WhileTheAliasMovesAndOldModelsGo_NeverFails()
    {
        await _silo.SetAsync("a", "m0", "v1", new AliasChange { Target = "", AutoDelete = true }, loadNow: true);
        using var stop = new CancellationTokenSource();
        var asking = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            var answers = 0;
            for (; !stop.IsCancellationRequested; answers++)
            {
                Assert.InRange(await _silo.AskAsync("a"), 11, 13);
            }

            return answers;
        })).ToList();

        for (var i = 1; i <= 12; i++)
        {
            var status = await _silo.SetAsync("a", $"m{i}", $"v{(i % 3) + 1}", new AliasChange { Target = "", AutoDelete = true });
            Assert.Equal($"m{i}", status.ActiveModelId);
        }

        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(asking).Soon(), answers => Assert.True(answers > 0));
    }

    [Fact]
    public async Task Infer_ModelOfTheSameName_GoesBeforeTheAlias()
    {
        await _silo.RegisterAsync("two", "v2");
        await _silo.SetAsync("two", "one");

        Assert.Equal("two", await _silo.AnsweredByAsync("two"));
        Assert.Equal("one", await _silo.AnsweredByAsync("", new ModelHeader(null, "two")));
        Assert.Equal("two", await _silo.AnsweredByAsync("one", new ModelHeader("two", null)));
    }

    [Fact]
    public async Task Set_RepositoryModel_IsReferredToAndFound()
    {
        await _silo.ServeFromRepositoryAsync("static", 3);

        await _silo.SetAsync("a", "static");

        Assert.Equal(13, await _silo.AskAsync("a"));
        Assert.Equal(["a"], (await _silo.Models.FindAsync("static").Soon())!.VModelIds);
    }

    private async Task SetBadAsync(AliasChange? change = null)
    {
        await _silo.SetAsync("a", "one", loadNow: true);
        Assert.Equal(AliasStatus.TransitionFailed, (await _silo.SetAsync("a", "new", "bad", change)).Status);
    }

    private static async Task<Failure> FailureOfAsync(Func<Task> action) => (await Assert.ThrowsAsync<ServingException>(action)).Failure;
}
