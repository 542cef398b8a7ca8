using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Grains.Models;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>A model whose state cannot be written for a while.</summary>
public sealed class ModelStoreTests
{
    private const string Cause = "model 'm' cannot be written: Redis refuses it, its memory is full";

    [Fact]
    public async Task Ask_StoreRefusesTheReplica_IsLoadedOnceTheStoreIsBack()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        await cluster.EvictAsync(0);
        cluster.Storage.Refusal = Cause;
        for (var ask = 0; ask < 3; ask++)
        {
            await Assert.ThrowsAnyAsync<SiloUnavailableException>(cluster.AskAsync);
        }

        Assert.Empty(cluster.Version.Arriving);
        cluster.Storage.Refusal = null;
        await cluster.AskAsync();

        Assert.Single(cluster.Version.Replicas);
    }

    [Fact]
    public async Task Ask_NoSiloAtFirst_IsLoadedOnceThereIsOne()
    {
        await using var cluster = await SimulatedCluster.StartAsync(1);
        await cluster.ApplyAsync("r1");
        await cluster.EvictAsync(0);
        cluster.Membership.Set(Silos.At(1), SiloStatus.Dead);
        for (var ask = 0; ask < 3; ask++)
        {
            await Assert.ThrowsAsync<ServingException>(cluster.AskAsync);
        }

        cluster.AddSilo(2);
        await cluster.AskAsync();

        Assert.Single(cluster.Version.Replicas);
    }

    [Fact]
    public async Task FailedLoad_StoreIsAwayWhenItIsDue_IsTriedAgain()
    {
        await using var cluster = await SimulatedCluster.StartAsync(0);
        await cluster.ApplyAsync("r1");
        Assert.True(cluster.Version.Failed);
        cluster.AddSilo(1);
        cluster.Storage.Refusal = Cause;

        await AdvanceUntilAsync(cluster, () => cluster.Storage.Refused > 0);
        cluster.Storage.Refusal = null;

        await AdvanceUntilAsync(cluster, () => cluster.Version.Replicas.Length == 1);
    }

    /// <summary>Further ahead than any wait is only what was written before the clock was set back.</summary>
    [Theory]
    [InlineData(0, false)]
    [InlineData(5, true)]
    [InlineData(900, true)]
    [InlineData(3600, false)]
    public void FailedLoad_DueInSeconds_IsRemembered(int seconds, bool remembered)
    {
        var now = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        var failed = new FailedLoad("r1", "s", "no silo can take it", now + TimeSpan.FromSeconds(seconds));
        var state = new ModelGrainState { Failed = ImmutableSortedDictionary<long, FailedLoad>.Empty.Add(1, failed) };

        var left = FailurePlan.Forget(state, now, TimeSpan.FromMinutes(15), new ReplicaOptions());

        Assert.Equal(remembered, left.Failed.ContainsKey(1));
    }

    /// <summary>What a silo told that had hung says of its model, after another has taken it over.</summary>
    [Fact]
    public async Task Ask_OfWhatAnotherToldOtherwise_TellsItAgain()
    {
        await using var cluster = await SimulatedCluster.StartAsync(2);
        await cluster.ApplyAsync("r1");
        var told = cluster.States.TryGet("m", out var state) ? state : throw new InvalidOperationException("nothing is published");
        cluster.States.Publish(told with { Versions = [told.Versions[0] with { Replicas = [], OnDemand = true }] });

        await cluster.AskAsync();

        Assert.Equal([0], cluster.Serving);
        Assert.False(cluster.Version.OnDemand);
    }

    private static async Task AdvanceUntilAsync(SimulatedCluster cluster, Func<bool> isSo)
    {
        var until = Task.Run(async () =>
        {
            while (!isSo())
            {
                cluster.Runtime.Time.Advance(TimeSpan.FromSeconds(1));
                await Task.Delay(5);
            }
        });
        await until.Soon();
    }
}
