using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Rest.Json;
using Cluster.Grains;
using Cluster.Grains.Registry;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Storage;
using Cluster.Grains.Trust;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelLoadTests
{
    private static readonly ModelRegistration Registration = new()
    {
        Name = "m",
        Versions = [new ModelVersionSource(1, Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), "r1")],
    };

    /// <summary>A version that stays "loading" would be loaded, in vain, for every request.</summary>
    [Fact]
    public async Task Apply_LoadFailsInAnUnforeseenWay_VersionIsFailed()
    {
        await using var silo = await StartAsync();
        silo.ExpectedErrors.Add(2101);
        silo.Services.GetRequiredService<SessionFactory>().Dispose();

        await silo.Get<IModelGrain>("m").ApplyAsync(Registration, retryFailed: false, CancellationToken.None).AsTask().Soon();

        Assert.True(silo.Services.GetRequiredService<IServingStates>().TryGet("m", out var state));
        var version = Assert.Single(state.Versions);
        Assert.Equal(ModelVersionState.Unavailable, version.State);
        Assert.True(version.Failed);
        Assert.Empty(version.Replicas);
    }

    /// <summary>What is loaded for no one keeps a processor busy and takes room.</summary>
    [Theory]
    [InlineData("unload")]
    [InlineData("remove")]
    public async Task EnsureLoaded_GivenUpDuringTheLoad_EndsTheLoad(string how)
    {
        using var held = new HeldOpening();
        await using var silo = await StartAsync(held.Open);
        var model = silo.Get<IModelGrain>("m");
        var replica = silo.Get<IModelReplicaGrain>(new ModelReplicaId("m", 1, 0, silo.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress).ToString());
        var loading = model.ApplyAsync(
            Registration, retryFailed: false, CancellationToken.None).AsTask();
        await held.Begun.Soon("the load's beginning");

        var givenUp = how == "unload"
            ? model.UnloadAsync(CancellationToken.None).AsTask()
            : model.ApplyAsync(Registration with { Versions = [] }, retryFailed: false, CancellationToken.None).AsTask();
        await loading.Soon("the end of the change that loaded");

        // Its turn comes after the one that ended the load.
        Assert.Null(await replica.DescribeAsync(CancellationToken.None));
        held.Release();
        await givenUp.Soon();
        await silo.StopAsync();
        Assert.DoesNotContain(silo.LogSink.Entries, entry => entry.Id == 2100 || entry.Id == 2101);
    }

    [Fact]
    public async Task Apply_RunsThatGainFromAllCores_HaveTheirSessionBeforeTheFirstRequest()
    {
        Assert.SkipUnless(Environment.ProcessorCount > 1, "with one processor a request that is alone has no more of them");
        using var folder = ModelFolder.Create();
        File.Copy(Path.Combine(TestPaths.TestModels, "slow", "1", "model.onnx"), Path.Combine(folder.Path, "model.onnx"));
        await File.WriteAllTextAsync(
            Path.Combine(folder.Path, VersionContent.SampleFile),
            """{"inputs": [{"name": "iterations", "datatype": "INT64", "shape": [1], "data": [300]}]}""");
        await using var silo = await StartAsync();

        await silo.Get<IModelGrain>("m").ApplyAsync(
            Registration with { Versions = [new ModelVersionSource(1, Path.Combine(folder.Path, "model.onnx"), "r1")] }, retryFailed: false, CancellationToken.None).AsTask().Soon();

        var loads = silo.LogSink.Entries.Where(static entry => entry.Id.Id is 2100 or 2176).Select(static entry => entry.Id.Id);
        Assert.Equal([2176, 2100], loads);
    }

    private static Task<TestSilo> StartAsync(OpenModelFile? open = null) => TestSilo.StartAsync(
            services => services
            .AddSingleton(open ?? CheckedFile.Open)
            .AddSingleton<ISampleReader, JsonSampleReader>()
            .AddMetrics()
            .AddSingleton<IServingStates, InMemoryServingStates>()
            .AddSingleton<IRegistrations, InMemoryRegistrations>()
            .AddModelGrains(new InferenceOptions { Threads = 1 })
            .AddMemoryGrainStorage(ModelGrains.StorageName),
        TimeProvider.System);
}
