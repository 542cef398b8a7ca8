using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Registry;

/// <summary>Traffic rules on the actor runtime, with real models.</summary>
public sealed class AliasTrafficTests : IAsyncLifetime
{
    private static readonly TrafficRule ToTwo = new() { Candidate = "two", Percent = 100 };

    private RegistrySilo _silo = null!;

    public async ValueTask InitializeAsync()
    {
        _silo = await RegistrySilo.StartAsync();
        await _silo.RegisterAsync("one", "v1");
        await _silo.RegisterAsync("two", "v2");
        await _silo.SetAsync("a", "one", loadNow: true);
    }

    public async ValueTask DisposeAsync() => await _silo.DisposeAsync();

    [Fact]
    public async Task Set_CandidateThatIsNotLoaded_IsLoadedThenGetsItsShare()
    {
        var state = await SetAsync(ToTwo);
        Assert.False(state.Traffic!.Loaded);

        var loaded = await _silo.Alias("a").WaitAsync("two", CancellationToken.None).AsTask().Soon();

        Assert.True(loaded!.Traffic!.IsOn);
        Assert.Equal("Loaded", await _silo.StatusAsync("two"));
        await _silo.UntilAsync("a", static alias => alias.Traffic!.IsOn);
        Assert.Equal(12, await _silo.AskAsync("a"));
        Assert.Equal(11, await _silo.AskAsync("one"));
        Assert.Equal(StatusCode.FailedPrecondition, (await FailureOfAsync(() => _silo.Models.UnregisterAsync("two").AsTask())).Code);
        Assert.Equal(["a"], (await _silo.Models.FindAsync("two").Soon())!.VModelIds);
    }

    [Fact]
    public async Task Set_CandidateThatFails_GivesItNothingUntilItIsMended()
    {
        await _silo.RegisterAsync("new", "bad");
        await SetAsync(ToTwo with { Candidate = "new" });
        var failed = await _silo.Alias("a").WaitAsync("new", CancellationToken.None).AsTask().Soon();
        Assert.Equal((false, true), (failed!.Traffic!.IsOn, failed.Traffic.Failure is not null));
        Assert.Equal(11, await _silo.AskAsync("a"));

        _silo.MendBad();
        _silo.Silo.Time.Advance(TimeSpan.FromMinutes(5));

        await _silo.UntilAsync("a", static alias => alias.Traffic!.IsOn);
        Assert.Equal(13, await _silo.AskAsync("a"));
    }

    [Fact]
    public async Task Set_VersionsOfOneModel_AreAskedEach()
    {
        _silo.Folder.AddVersion("v3", 2, Path.Combine(TestPaths.TestModels, "multi", "1", "model.onnx"));
        await _silo.RegisterAsync("three", "v3", loadNow: true, sync: true, key: """{"version_policy":{"all":{}}}""");
        await _silo.SetAsync("b", "three");
        await _silo.Alias("b").SetTrafficAsync(new TrafficRule { Candidate = "three", CandidateVersion = 2, ActiveVersion = 1, Percent = 0 }).AsTask().Soon();
        await _silo.UntilAsync("b", static alias => alias.Traffic!.IsOn);
        Assert.Equal(13, await _silo.AskAsync("b"));

        await _silo.Alias("b").SetTrafficAsync(new TrafficRule { Candidate = "three", CandidateVersion = 2, ActiveVersion = 1, Percent = 100 }).AsTask().Soon();
        Assert.Equal(11, await _silo.AskAsync("b"));

        // Also after a rollback the other version does not answer, though it is the highest.
        await RollBackAsync("b", (await StateAsync("b")).Revision);
        Assert.Equal(13, await _silo.AskAsync("b"));
        await _silo.Alias("b").SetTrafficAsync(new TrafficRule { Candidate = "three", CandidateVersion = 9, ActiveVersion = 1 }).AsTask().Soon();
        var lacking = await _silo.Alias("b").WaitAsync("three", CancellationToken.None).AsTask().Soon();
        Assert.Equal("model 'three' serves no version 9", lacking!.Traffic!.Failure);
    }

    [Fact]
    public async Task RollBack_OfAnOldRevision_LeavesTheNewRule()
    {
        var old = (await SetAndLoadAsync(ToTwo)).Traffic!.Revision;
        var now = (await SetAsync(ToTwo)).Traffic!.Revision;
        Assert.True(now > old);
        await _silo.UntilAsync("a", static alias => alias.Traffic!.IsOn);

        await RollBackAsync("a", old);
        Assert.Equal(12, await _silo.AskAsync("a"));

        await RollBackAsync("a", now);
        await RollBackAsync("a", now);
        Assert.Equal(11, await _silo.AskAsync("a"));
        Assert.Equal(("one", RollbackCause.Errors), ((await StateAsync("a")).RolledBack!.By, (await StateAsync("a")).RolledBack!.Cause));
    }

    [Fact]
    public async Task Delete_AndSetAnew_BeginsWithALaterRevision()
    {
        var old = (await SetAndLoadAsync(ToTwo)).Traffic!.Revision;
        await _silo.Aliases.DeleteAsync("a", null).AsTask().Soon();
        Assert.Empty((await _silo.Models.FindAsync("two").Soon())!.VModelIds);
        _silo.Silo.Time.Advance(TimeSpan.FromSeconds(1));
        await _silo.SetAsync("a", "one");

        Assert.True((await SetAndLoadAsync(ToTwo)).Traffic!.Revision > old);
    }

    [Fact]
    public async Task Clear_AndMove_EndTheRuleAndLetGoOfTheCandidate()
    {
        await SetAndLoadAsync(ToTwo);
        Assert.Null((await SetAsync(null)).Traffic);
        Assert.Null((await SetAsync(null)).Traffic);
        Assert.Equal(11, await _silo.AskAsync("a"));
        await _silo.Models.UnregisterAsync("two").AsTask().Soon();

        await _silo.RegisterAsync("two", "v2");
        await SetAsync(ToTwo);
        await _silo.UntilAsync("a", static alias => alias.Traffic!.IsOn);
        await _silo.SetAsync("a", "two");
        await _silo.UntilAsync("a", static alias => alias is { Active: "two", Traffic: null });
        Assert.Equal(12, await _silo.AskAsync("a"));
    }

    [Fact]
    public async Task Set_WhatCannotBe_LeavesNothing()
    {
        Assert.Equal(StatusCode.NotFound, (await FailureOfAsync(() => SetAsync(ToTwo with { Candidate = "unknown" }))).Code);
        Assert.Equal(StatusCode.InvalidArgument, (await FailureOfAsync(() => SetAsync(ToTwo with { Percent = 101 }))).Code);
        Assert.Equal(StatusCode.NotFound, (await FailureOfAsync(() => _silo.Alias("none").SetTrafficAsync(ToTwo).AsTask())).Code);
        Assert.Equal(StatusCode.NotFound, (await FailureOfAsync(() => _silo.Alias("none").SetTrafficAsync(null).AsTask())).Code);
        Assert.Null((await _silo.Alias("a").GetAsync().AsTask().Soon())!.Traffic);
        Assert.Null(await _silo.Alias("a").RollBackAsync(new TrafficVerdict(1, RollbackCause.Drift, "", "")).AsTask().Soon() is { Traffic: { } traffic } ? traffic : null);
        Assert.Empty((await _silo.Models.FindAsync("two").Soon())!.VModelIds);
    }

    [Fact]
    public async Task Restart_OfTheProcess_BringsRulesBack()
    {
        await SetAsync(ToTwo);
        await _silo.UntilAsync("a", static alias => alias.Traffic!.IsOn);
        await _silo.Silo.StopAsync();

        await using var after = await RegistrySilo.StartAsync(_silo);
        await after.Get<IRegistryRestorer>().RestoreAsync(CancellationToken.None).Soon();

        Assert.True(after.AliasTable.TryGet("a", out var state) && state.Traffic!.IsOn);
        Assert.Equal(12, await after.AskAsync("a"));
        await after.Alias("a").RollBackAsync(new TrafficVerdict(state.Traffic!.Revision, RollbackCause.Drift, "figures", "gw")).AsTask().Soon();
        Assert.Equal(11, await after.AskAsync("a"));
    }

    private static async Task<Failure> FailureOfAsync(Func<Task> action) => (await Assert.ThrowsAsync<ServingException>(action)).Failure;

    private Task<AliasState> SetAsync(TrafficRule? rule) => _silo.Alias("a").SetTrafficAsync(rule).AsTask().Soon();

    private async Task<AliasState> SetAndLoadAsync(TrafficRule rule)
    {
        await SetAsync(rule);
        return (await _silo.Alias("a").WaitAsync(rule.Candidate, CancellationToken.None).AsTask().Soon())!;
    }

    private Task<AliasState?> RollBackAsync(string alias, long revision) =>
        _silo.Alias(alias).RollBackAsync(new TrafficVerdict(revision, RollbackCause.Errors, "figures", "one")).AsTask().Soon();

    private async Task<TrafficState> StateAsync(string alias) => (await _silo.Alias(alias).GetAsync().AsTask().Soon())!.Traffic!;
}
