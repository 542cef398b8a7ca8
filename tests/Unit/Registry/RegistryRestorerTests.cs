using Cluster.Contracts.Registry;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Xunit;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;

namespace Cluster.Unit.Registry;

/// <summary>A process that finds what another one stored.</summary>
public sealed class RegistryRestorerTests
{
    [Fact]
    public async Task Restore_WhatWasRegistered_AnswersAgain()
    {
        await using var before = await RegistrySilo.StartAsync();
        await before.RegisterAsync("one", "v1");
        await before.RegisterAsync("never used", "v2");
        await before.SetAsync("a", "one", loadNow: true);
        await before.Silo.StopAsync();

        await using var after = await RegistrySilo.StartAsync(before);
        await after.Get<IRegistryRestorer>().RestoreAsync(CancellationToken.None).Soon();

        Assert.Equal(["never used", "one"], (await after.Models.ListAsync().Soon()).Select(model => model.ModelId));
        Assert.Equal("one", await after.AnsweredByAsync("a"));
        Assert.Equal(12, await after.AskAsync("never used"));
    }

    [Fact]
    public async Task Restore_ReferenceThatACrashLeft_IsLetGo()
    {
        await using var before = await RegistrySilo.StartAsync();
        await before.RegisterAsync("one", "v1");
        await before.SetAsync("a", "one");
        await before.Registry("two").AcquireAsync("two", "a", RegistrySilo.Info("v2"), autoDelete: true).AsTask().Soon();
        await before.Registry("one").AcquireAsync("one", "gone", null, autoDelete: false).AsTask().Soon();
        await before.Silo.StopAsync();

        await using var after = await RegistrySilo.StartAsync(before);
        await after.Get<IRegistryRestorer>().RestoreAsync(CancellationToken.None).Soon();

        Assert.Equal(["a"], Assert.Single(await after.Models.ListAsync().Soon()).VModelIds);
    }

    [Fact]
    public async Task Restore_AliasOnItsWay_ArrivesWhenItsTargetLoads()
    {
        await using var before = await RegistrySilo.StartAsync();
        await before.RegisterAsync("one", "v1");
        await before.SetAsync("a", "one", loadNow: true);
        Assert.Equal(AliasStatus.TransitionFailed, (await before.SetAsync("a", "new", "bad")).Status);
        await before.Silo.StopAsync();

        await using var after = await RegistrySilo.StartAsync(before);
        await after.Get<IRegistryRestorer>().RestoreAsync(CancellationToken.None).Soon();
        Assert.Equal(11, await after.AskAsync("a"));
        after.MendBad();
        after.Silo.Time.Advance(TimeSpan.FromMinutes(5));

        await after.UntilAsync("a", state => state is { Active: "new", Failure: null });
    }

    [Fact]
    public void Publish_AndRemove_TellOnceEach()
    {
        var aliases = new InMemoryAliases();
        var told = new List<string>();
        aliases.Changed += told.Add;

        aliases.Publish(new AliasState("a", null, "m", "m"));
        aliases.Remove("a");
        aliases.Remove("a");

        Assert.Equal(["a", "a"], told);
        Assert.False(aliases.TryGet("a", out _));
    }

    /// <summary>An alias moves once its target has as many replicas as this: a version without any is none to move to.</summary>
    [Fact]
    public void Wanted_OfAVersionWhoseLoadHasNotBegun_IsThatOfTheOneThatServes()
    {
        var states = new InMemoryServingStates();
        states.Publish(States.Model("m", States.Loading(2) with { Arriving = [] }, States.Ready(1, 0, 1)));
        Assert.Equal(2, ServingReplicas.Wanted(states, "m"));

        states.Publish(States.Model("m", States.Loading(2), States.Ready(1, 0, 1)));
        Assert.Equal(1, ServingReplicas.Wanted(states, "m"));
    }
}
