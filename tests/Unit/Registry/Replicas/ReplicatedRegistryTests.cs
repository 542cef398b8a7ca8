using System.Diagnostics;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Replication;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Replication;
using Xunit;

namespace Cluster.Unit.Registry.Replicas;

/// <summary>Silos and a gateway that know the same through Redis.</summary>
[Collection(TimedCollection.Name)]
public sealed class ReplicatedRegistryTests
{
    private static readonly ModelRegistration Registration = new()
    {
        Name = "m",
        Versions = [new ModelVersionSource(1, "/m/1/model.onnx", "r1"), new ModelVersionSource(2, "", "r2", "broken")],
        VersionPolicy = VersionPolicy.Specific([2, 1]),
        Settings = new ModelSettings
        {
            Concurrency = 3,
            QueueLimit = 7,
            InputShapes = ModelSettings.Default.InputShapes.Add("x", [DimensionRange.Any, DimensionRange.Exactly(4)]),
            BatchSize = new DimensionRange(1, 8),
            Labels = ModelSettings.Default.Labels.Add("y", "labels.txt"),
            RequiredLabels = ["gpu"],
        },
        SettingsRevision = "s1",
        Origin = RegistrationOrigin.Registered,
    };

    private static readonly ModelServingState State = new("m", [new VersionServingState
    {
        Version = 2,
        State = ModelVersionState.Ready,
        Reason = "why",
        Replicas = [new PlacedReplica(1, Silos.B)],
        Arriving = [new PlacedReplica(2, Silos.A)],
        Since = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero),
        FailedOn = [Silos.A.ToParsableString()],
    }], "problem") { Origin = RegistrationOrigin.Registered };

    /// <summary>Looks until something is so.</summary>
    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var since = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(since.Elapsed < Wait.Limit, $"still not so: {what}");
            await Task.Yield();
        }
    }

    private static void AssertSame(object expected, object? actual) => Assert.Equivalent(expected, actual, strict: true);

    [Fact]
    public async Task Publish_OnASilo_IsKnownToSilosAndGatewaysAsItWas()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        await using var two = await ReplicatedProcess.StartSiloAsync(redis);
        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        var told = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        gateway.States.Changed += name => told.TrySetResult(name);
        var rule = new TrafficRule { Candidate = "c", CandidateVersion = 2, ActiveVersion = 1, Percent = 0.1, Shadow = true, StickyHeader = "x-user", StickyId = true, AbsoluteTolerance = 0.25, RelativeTolerance = 0.5 };
        var limits = new TrafficLimits { ErrorRate = null, P99Ratio = 2, MeanRatio = 1.5, Drift = 0.01, MinRequests = 7, Window = TimeSpan.FromSeconds(9) };
        var rollback = new TrafficRollback(RollbackCause.Drift, "figures", "gateway", DateTimeOffset.UnixEpoch);
        var alias = new AliasState("latest", "me", "m", "n", "because", new TrafficState(rule with { Limits = limits }, 3, true, "failed", rollback));

        one.Registrations.Publish(Registration);
        one.Aliases.Publish(alias);
        one.States.Publish(State);

        Assert.Equal("m", await told.Task.Soon());
        await UntilAsync(() => two.Registrations.TryGet("m", out _) && gateway.Aliases.TryGet("latest", out _), "every replica knows");
        Assert.True(two.Registrations.TryGet("m", out var registration));
        Assert.True(gateway.States.TryGet("m", out var state));
        Assert.True(gateway.Aliases.TryGet("latest", out var known));
        AssertSame(Registration, registration);
        AssertSame(State, state);
        Assert.Equal(alias, known);
        Assert.Same(state, gateway.States.All.Single());
    }

    [Fact]
    public async Task Remove_IsKnownEverywhere()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        one.States.Publish(State);
        one.Aliases.Publish(new AliasState("a", null, "m", "m"));
        one.Registrations.Publish(Registration);
        await UntilAsync(() => gateway.Aliases.All.Any() && gateway.States.All.Any(), "the gateway knows");

        one.States.Publish(new ModelServingState("m", [], null));
        one.Aliases.Remove("a");
        one.Registrations.Remove("m");

        Assert.Empty(one.Registrations.All);
        await UntilAsync(() => !gateway.Aliases.All.Any() && !gateway.States.All.Any(), "the gateway has forgotten");
    }

    [Fact]
    public async Task InitialLoad_OnceFinished_IsFinishedForAllAndForNewcomers()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        var completed = 0;
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        one.States.InitialLoadCompleted += () => Interlocked.Increment(ref completed);
        gateway.States.InitialLoadCompleted += told.SetResult;
        Assert.False(gateway.States.InitialLoadFinished);

        one.States.FinishInitialLoad();
        one.States.FinishInitialLoad();
        await told.Task.Soon();

        Assert.Equal((1, true, true), (completed, one.States.InitialLoadFinished, gateway.States.InitialLoadFinished));
        Assert.Empty(gateway.States.All);
        await using var newcomer = await ReplicatedProcess.StartGatewayAsync(redis);
        Assert.True(newcomer.States.InitialLoadFinished);
    }

    [Fact]
    public async Task SiloStates_OfTheLivingOnlyAreKnown()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis, "a");
        await using var two = await ReplicatedProcess.StartSiloAsync(redis, "b");
        await UntilAsync(() => one.SiloStates.All.Count() == 2 && two.SiloStates.All.Count() == 2, "both know both");
        Assert.True(one.SiloStates.TryGet(two.Silo, out var state));
        Assert.Equal((two.Silo, 3L, false), (state.Silo, state.Version, state.Draining));
        Assert.Equal(["b"], state.Labels);
        Assert.True(state.Capacity > 0);

        two.Get<SiloDraining>().Begin();
        await UntilAsync(() => one.SiloStates.TryGet(two.Silo, out var now) && now.Draining, "the drain is known");

        // No live silo published this: a silo left it that the membership has as dead.
        Assert.True(await one.Get<IClusterMembershipService>().TryKill(two.Silo));
        await UntilAsync(() => !one.SiloStates.TryGet(two.Silo, out _), "the dead is ignored");
        var raw = one.Get<IEnumerable<ReplicatedMap>>().Single(static map => map.Name == "silo-states");
        one.SiloStates.RemoveDead();
        Assert.False(raw.TryGet(two.Silo.ToParsableString(), out _));
        Assert.Equal(one.Silo, Assert.Single(one.SiloStates.All).Silo);
    }

    [Fact]
    public async Task SiloState_OfASiloThatStops_IsTakenBack()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        var raw = one.Get<IEnumerable<ReplicatedMap>>().Single(static map => map.Name == "silo-states");
        SiloAddress gone;
        await using (var two = await ReplicatedProcess.StartSiloAsync(redis))
        {
            gone = two.Silo;
            await UntilAsync(() => raw.TryGet(gone.ToParsableString(), out _), "its state is known");
        }

        await UntilAsync(() => !raw.TryGet(gone.ToParsableString(), out _), "its state is gone");
    }

    [Fact]
    public async Task Refresh_WithoutRedis_IsUnavailableAndReadsGoOn()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        one.States.Publish(State);
        await UntilAsync(() => gateway.States.TryGet("m", out _), "the gateway knows");
        await gateway.States.RefreshAsync("m", default);
        await redis.StopAsync();

        var failure = await Assert.ThrowsAsync<ServingException>(async () => await gateway.States.RefreshAsync("m", default));

        Assert.Equal(StatusCode.Unavailable, failure.Failure.Code);
        Assert.NotNull(failure.Failure.RetryAfter);
        Assert.True(gateway.States.TryGet("m", out _));
    }

    [Fact]
    public async Task RedisRestartedEmpty_ANewcomerLearnsEverything()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await ReplicatedProcess.StartSiloAsync(redis);
        one.States.Publish(State);
        one.States.FinishInitialLoad();
        one.Registrations.Publish(Registration);
        await redis.StopAsync();
        await redis.StartAsync();

        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        await UntilAsync(() => gateway.States.TryGet("m", out _) && gateway.States.InitialLoadFinished, "the gateway knows");
    }

    [Fact]
    public async Task EntryThatCannotBeRead_CountsAsMissingAndIsLogged()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var gateway = await ReplicatedProcess.StartGatewayAsync(redis);
        var raw = gateway.Get<IEnumerable<ReplicatedMap>>().Single(static map => map.Name == "serving-states");

        raw.Publish("m", [(byte)'{']);

        Assert.False(gateway.States.TryGet("m", out _));
        Assert.Empty(gateway.States.All);
        Assert.Single(gateway.Log.Entries, static entry => entry.Id == 2144);
    }
}
