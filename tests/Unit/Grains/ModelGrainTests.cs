using System.Collections.Concurrent;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Tests.Common;
using Google.Protobuf;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelGrainTests
{
    private const string One = "multi/1";
    private const string Two = "multi/2";
    private const string Three = "multi/3";
    private const string Broken = "broken/1";

    [Fact]
    public async Task Apply_NewModel_LoadsTheChosenVersionAndTellsWhy()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);

        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Two)));

        Assert.Equal(12, await silo.AskAsync(2, 0));
        Assert.Equal(ModelVersionState.Ready, silo.Version(2).State);
        Assert.Equal((ModelVersionState.Unavailable, "not chosen by the version policy"), (silo.Version(1).State, silo.Version(1).Reason));
        Assert.Equal(FailureKind.Moved, (await silo.RefuseAsync(1, 0)).Kind);
    }

    [Fact]
    public async Task Apply_NewContent_LoadsBesideAndSwitches()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));
        var told = new ConcurrentQueue<VersionServingState>();
        silo.States.Changed += _ => told.Enqueue(silo.Version(1));

        await silo.ApplyAsync(ModelSilo.Registration((1, Two)));

        Assert.All(told, state => Assert.Equal(ModelVersionState.Ready, state.State));
        Assert.Contains(told, state => state is { Arriving: [{ Number: 1 }], Replicas: [{ Number: 0 }] });
        Assert.Equal([1], silo.Serving(1));
        Assert.Empty(silo.Version(1).Arriving);
        Assert.Equal(12, await silo.AskAsync(1, 1));

        // A number is never used again.
        await silo.ApplyAsync(ModelSilo.Registration((1, Three)));
        Assert.Equal(13, await silo.AskAsync(1, 2));
        Assert.Equal(FailureKind.Moved, (await silo.RefuseAsync(1, 0)).Kind);
    }

    [Fact]
    public async Task Apply_NewContentWhileARequestRuns_AnswersItFirst()
    {
        await using var silo = await ModelSilo.StartAsync();
        await silo.ApplyAsync(ModelSilo.Registration((1, "slow/1")));
        var running = silo.SendAsync(1, 0, OnnxBench.Raw(("iterations", "INT64", [1], OnnxBench.Bytes(1000L))));

        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        Assert.Equal(1f, ModelSilo.Number(await running.Soon()));
        Assert.Equal(11, await silo.AskAsync(1, 1));
    }

    [Fact]
    public async Task Apply_BrokenNewContent_KeepsWhatServes()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        await silo.ApplyAsync(ModelSilo.Registration((1, Broken)));

        Assert.Equal(11, await silo.AskAsync(1, 0));
        Assert.Equal(ModelVersionState.Ready, silo.Version(1).State);
        Assert.StartsWith("serves its previous content, the new one does not load: ", silo.Version(1).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("failed to load model", silo.Version(1).Reason, StringComparison.Ordinal);
        Assert.Equal(1, silo.FailedLoads);

        // Nothing changed, so the grain does not try it again, except on request.
        await silo.ApplyAsync(ModelSilo.Registration((1, Broken)));
        Assert.Equal(1, silo.FailedLoads);
        await silo.ApplyAsync(ModelSilo.Registration((1, Broken)), retryFailed: true);
        Assert.Equal(2, silo.FailedLoads);
        var exception = await Assert.ThrowsAsync<ServingException>(() => silo.Grain.LoadAsync(CancellationToken.None).AsTask().Soon());
        Assert.Equal(3, silo.FailedLoads);
        Assert.Equal(StatusCode.Unavailable, exception.Failure.Code);
        Assert.StartsWith("failed to load model 'm' version 1: ", exception.Message, StringComparison.Ordinal);

        await silo.ApplyAsync(ModelSilo.Registration((1, Two)));
        Assert.Equal("", silo.Version(1).Reason);
        Assert.Equal(12, await silo.AskAsync(1, Assert.Single(silo.Serving(1))));
    }

    [Fact]
    public async Task Apply_NewestVersionBroken_ServesTheOneBefore()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);

        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Broken)));

        Assert.Equal(11, await silo.AskAsync(1, 0));
        Assert.Equal((ModelVersionState.Unavailable, true), (silo.Version(2).State, silo.Version(2).Failed));
        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Two)));
        Assert.Equal(12, await silo.AskAsync(2, 1));
        Assert.Equal(ModelVersionState.Unavailable, silo.Version(1).State);
    }

    [Fact]
    public async Task EnsureLoaded_DuringTheFirstLoad_WaitsForIt()
    {
        await using var silo = await ModelSilo.StartAsync();
        Task? early = null;
        silo.States.Changed += _ =>
        {
            if (early is null && silo.Version(1).State == ModelVersionState.Loading)
            {
                early = silo.Grain.EnsureLoadedAsync(1, missing: null, CancellationToken.None).AsTask();
            }
        };

        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        Assert.NotNull(early);
        await early.Soon();
        Assert.Equal(11, await silo.AskAsync(1, 0));
    }

    [Fact]
    public async Task EnsureLoaded_DuringALoadThatFails_IsToldTheCause()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        Task? early = null;
        silo.States.Changed += _ => early ??= silo.Grain.EnsureLoadedAsync(1, missing: null, CancellationToken.None).AsTask();

        await silo.ApplyAsync(ModelSilo.Registration((1, Broken)));

        var exception = await Assert.ThrowsAsync<ServingException>(() => early!.Soon());
        Assert.Equal((StatusCode.Unavailable, FailureKind.LoadFailed), (exception.Failure.Code, exception.Failure.Kind));
        Assert.StartsWith("failed to load model 'm' version 1: ", exception.Message, StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(10), exception.Failure.RetryAfter);
    }

    /// <summary>A gateway of the process calls from its own threads, while turns of the grain go on.</summary>
    [Fact]
    public async Task Infer_WithoutAMessageFromManyThreads_IsAnsweredOrToldThatItMoved()
    {
        await using var silo = await ModelSilo.StartAsync();
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));
        var local = silo.Silo.Services.GetRequiredService<ILocalReplicas>();
        Assert.True(local.TryGet(silo.IdOf(1, 0), out var replica));
        Assert.True(replica.HasRoom);

        var calls = Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            var (answered, moved) = (0, 0);
            while (moved < 10)
            {
                using var message = PayloadBuffer.CopyOf(ModelSilo.TenRequest().ToByteArray());
                var reply = await replica.InferAsync(new InferRequest { Message = message }, CancellationToken.None);
                if (reply.Succeeded)
                {
                    Assert.Equal(11, ModelSilo.Number(reply));
                    answered++;
                }
                else
                {
                    Assert.Equal(FailureKind.Moved, reply.Failure.Kind);
                    moved++;
                }
            }

            return answered;
        })).ToList();
        await silo.AskAsync(1, 0);
        await silo.Grain.UnloadAsync(CancellationToken.None).AsTask().Soon();

        Assert.Equal(8, (await Task.WhenAll(calls).Soon()).Length);
        Assert.False(local.TryGet(silo.IdOf(1, 0), out _));
    }

    [Fact]
    public async Task Unload_ServedModel_RefusesCallsByOldRoutesUntilItIsLoaded()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));
        Assert.NotNull(await silo.Replica(1, 0).DescribeAsync(CancellationToken.None));

        await silo.Grain.UnloadAsync(CancellationToken.None).AsTask().Soon();

        var refusal = await silo.RefuseAsync(1, 0);
        Assert.Equal((StatusCode.Unavailable, FailureKind.Moved), (refusal.Code, refusal.Kind));
        Assert.Null(await silo.Replica(1, 0).DescribeAsync(CancellationToken.None));
        Assert.Equal("unloaded on request", silo.Version(1).Reason);

        // The repository's next word does not undo a request to unload.
        await silo.ApplyAsync(ModelSilo.Registration((1, Two)), retryFailed: true);
        Assert.Equal(ModelVersionState.Unavailable, silo.Version(1).State);
        await silo.Grain.LoadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal(12, await silo.AskAsync(1, 1));
    }

    [Fact]
    public async Task Apply_VersionGone_UnloadsIt()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Two)) with { VersionPolicy = VersionPolicy.All });
        Assert.Equal(11, await silo.AskAsync(1, 0));

        await silo.ApplyAsync(ModelSilo.Registration((2, Two)) with { VersionPolicy = VersionPolicy.All });

        Assert.Equal(StatusCode.Unavailable, (await silo.RefuseAsync(1, 0)).Code);
        Assert.Equal(12, await silo.AskAsync(2, 0));
    }

    [Fact]
    public async Task Apply_ModelGone_IsForgotten()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        await silo.ApplyAsync(ModelSilo.Registration());

        Assert.False(silo.States.TryGet(ModelSilo.Model, out _));
        Assert.False(silo.Silo.Services.GetRequiredService<IRegistrations>().TryGet(ModelSilo.Model, out _));
        Assert.Equal(StatusCode.Unavailable, (await silo.RefuseAsync(1, 0)).Code);
        const string unknown = "Request for unknown model: 'm' is not in the model repository";
        foreach (var (call, expected) in new[]
        {
            (silo.Grain.LoadAsync(CancellationToken.None).AsTask(), $"failed to load 'm': {unknown}"),
            (silo.Grain.UnloadAsync(CancellationToken.None).AsTask(), unknown),
        })
        {
            var exception = await Assert.ThrowsAsync<ServingException>(() => call.Soon());
            Assert.Equal((StatusCode.NotFound, expected), (exception.Failure.Code, exception.Failure.Message));
        }

        await silo.ApplyAsync(ModelSilo.Registration((1, Two)));
        Assert.Equal(12, await silo.AskAsync(1, Assert.Single(silo.Serving(1))));
    }

    [Fact]
    public async Task Apply_BadSettings_KeepsTheLastGoodOnes()
    {
        await using var silo = await ModelSilo.StartAsync();
        silo.Silo.ExpectedErrors.Add(2112);
        var good = ModelSilo.Registration((1, One), (2, Two)) with { VersionPolicy = VersionPolicy.Specific([1]) };
        await silo.ApplyAsync(good);

        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Two), (3, Three)) with { Problem = "model.json is no JSON", SettingsRevision = "" });

        Assert.Equal(11, await silo.AskAsync(1, 0));
        Assert.Equal(ModelVersionState.Unavailable, silo.Version(3).State);
        Assert.True(silo.States.TryGet(ModelSilo.Model, out var state));
        Assert.Equal("model.json is no JSON", state.Problem);
        var exception = await Assert.ThrowsAsync<ServingException>(() => silo.Grain.LoadAsync(CancellationToken.None).AsTask().Soon());
        Assert.Equal("failed to load 'm': model.json is no JSON", exception.Message);

        // Settings as before: nothing has to be loaded anew.
        await silo.ApplyAsync(good);
        Assert.Equal([0], silo.Serving(1));
        Assert.True(silo.States.TryGet(ModelSilo.Model, out state));
        Assert.Null(state.Problem);
    }

    [Fact]
    public async Task Apply_SettingsChanged_LoadsAnew()
    {
        await using var silo = await ModelSilo.StartAsync();
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        await silo.ApplyAsync(
            ModelSilo.Registration((1, One)) with { SettingsRevision = "s2", Settings = new ModelSettings { Concurrency = 3, QueueLimit = 5 } });

        Assert.Equal([1], silo.Serving(1));
        var description = await silo.Replica(1, 1).DescribeAsync(CancellationToken.None);
        Assert.Equal((3, 5), (description!.Concurrency, description.QueueLimit));
    }

    [Fact]
    public async Task Statistics_OfACopy_CountWhatItAnswered()
    {
        await using var silo = await ModelSilo.StartAsync();
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));
        await silo.AskAsync(1, 0);
        await silo.AskAsync(1, 0);
        var wrong = await silo.SendAsync(1, 0, OnnxBench.Raw(("other", "FP32", [1], OnnxBench.Bytes(10f)))).Soon();

        var statistics = await silo.Replica(1, 0).GetStatisticsAsync(CancellationToken.None);

        Assert.Equal(StatusCode.InvalidArgument, wrong.Failure!.Code);
        Assert.Equal((2L, 2L, 1L), (statistics!.ExecutionCount, statistics.Success.Count, statistics.Fail.Count));
    }

    [Fact]
    public async Task LoadAndUnload_StoreRefusesTheWrite_AreUnavailableWithTheCauseAndNotDone()
    {
        const string Cause = "model 'm' cannot be written: Redis refuses it, its memory is full";
        var storage = new RefusingStorage();
        await using var silo = await ModelSilo.StartAsync(storage: storage);
        await silo.ApplyAsync(ModelSilo.Registration((1, One)));

        storage.Refusal = Cause;
        foreach (var ask in (Func<ValueTask>[])[() => silo.Grain.UnloadAsync(CancellationToken.None), () => silo.Grain.LoadAsync(CancellationToken.None)])
        {
            var failure = (await Assert.ThrowsAsync<ServingException>(() => ask().AsTask().Soon())).Failure;
            Assert.Equal((StatusCode.Unavailable, Cause), (failure.Code, failure.Message));
            Assert.NotNull(failure.RetryAfter);
        }

        storage.Refusal = null;
        await silo.ApplyAsync(ModelSilo.Registration((1, One)), retryFailed: true);
        Assert.Equal(11, await silo.AskAsync(1, 0));
    }

    [Fact]
    public async Task Replica_OnASiloThatIsNoMember_IsRefused()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);

        await Assert.ThrowsAnyAsync<SiloUnavailableException>(
            () => silo.Silo.Get<IModelReplicaGrain>("m/1/0@127.0.0.1:1@1").DescribeAsync(CancellationToken.None).AsTask().Soon());
    }

    /// <summary>What the grain knows survives its own rest; what serves does not rest.</summary>
    [Fact]
    public async Task Grain_IdleForLong_StillKnowsAndStillServes()
    {
        await using var silo = await ModelSilo.StartAsync(failing: true);
        await silo.ApplyAsync(ModelSilo.Registration((1, One), (2, Two)) with { VersionPolicy = VersionPolicy.Specific([1]) });

        await silo.Silo.RestAsync<IModelGrain>();

        Assert.Equal(11, await silo.AskAsync(1, 0));
        await silo.Grain.LoadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal([0], silo.Serving(1));
        await silo.Grain.UnloadAsync(CancellationToken.None).AsTask().Soon();
        Assert.Equal(StatusCode.Unavailable, (await silo.RefuseAsync(1, 0)).Code);
    }
}
