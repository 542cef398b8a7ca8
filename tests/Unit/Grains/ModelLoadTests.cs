using System.Diagnostics.CodeAnalysis;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Registry;
using Cluster.Grains.Sessions;
using Cluster.Grains.Storage;
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
    public async Task Apply_LoadFailsInAWayThatNobodyForesaw_VersionIsFailed()
    {
        await using var silo = await StartAsync(new InMemoryServingStates());
        silo.ExpectedErrors.Add(2101);
        silo.Services.GetRequiredService<SessionFactory>().Dispose();

        await silo.Get<IModelGrain>("m").ApplyAsync(Registration, retryFailed: false, CancellationToken.None).AsTask().Soon();

        Assert.True(silo.Services.GetRequiredService<IServingStates>().TryGet("m", out var state));
        var version = Assert.Single(state.Versions);
        Assert.Equal(ModelVersionState.Unavailable, version.State);
        Assert.True(version.Failed);
        Assert.Empty(version.Copies);
    }

    /// <summary>It would hold its memory for good, and serve old content when its number is used again.</summary>
    [Fact]
    public async Task Activate_GivenUpWhileItLoaded_IsNotKept()
    {
        await using var silo = await StartAsync(new WantedOnce());
        silo.Services.GetRequiredService<IRegistrations>().Publish(Registration);
        var copy = silo.Get<IModelVersionGrain>("m/1/0");

        var failure = (await Assert.ThrowsAsync<ServingException>(() => copy.DescribeAsync(CancellationToken.None).AsTask().Soon())).Failure;

        Assert.Equal((StatusCode.Unavailable, TimeSpan.Zero), (failure.Code, failure.RetryAfter));
        Assert.DoesNotContain(silo.LogSink.Entries, entry => entry.Id == 2100);
    }

    /// <summary>What is loaded for no one keeps a processor busy and takes room; the file is cut short, so that a load that goes on to it fails.</summary>
    [Fact]
    public async Task Activate_GivenUpDuringTheLoad_EndsTheLoad()
    {
        using var pipe = await ModelPipe.MakeAsync();
        var states = new InMemoryServingStates();
        await using var silo = await StartAsync(states);
        silo.Services.GetRequiredService<IRegistrations>().Publish(Registration with { Versions = [new ModelVersionSource(1, pipe.Path, "r1")] });
        var version = new VersionServingState { Version = 1, State = ModelVersionState.Loading, Copies = [0] };
        states.Publish(new ModelServingState("m", [version], null));
        var describing = silo.Get<IModelVersionGrain>("m/1/0").DescribeAsync(CancellationToken.None).AsTask();

        await using (await pipe.ReadAsync())
        {
            states.Publish(new ModelServingState("m", [version with { Copies = [1] }], null));
        }

        var failure = (await Assert.ThrowsAsync<ServingException>(() => describing.Soon())).Failure;
        Assert.Equal((StatusCode.Unavailable, TimeSpan.Zero), (failure.Code, failure.RetryAfter));
        Assert.DoesNotContain(silo.LogSink.Entries, entry => entry.Id == 2101);
    }

    private static Task<TestSilo> StartAsync(IServingStates states) => TestSilo.StartAsync(
            services => services
            .AddMetrics()
            .AddSingleton(states)
            .AddSingleton<IRegistrations, InMemoryRegistrations>()
            .AddModelGrains(new InferenceOptions { Threads = 1 })
            .AddMemoryGrainStorage(ModelGrains.StorageName),
        TimeProvider.System);

    /// <summary>Wants every copy when it is asked first, and none from then on.</summary>
    private sealed class WantedOnce : IServingStates
    {
        private int _asked;

        public event Action<string>? Changed
        {
            add => _ = value;
            remove => _ = value;
        }

        public event Action? InitialLoadCompleted
        {
            add => _ = value;
            remove => _ = value;
        }

        public IEnumerable<ModelServingState> All => [];

        public bool InitialLoadFinished => true;

        public bool TryGet(string name, [NotNullWhen(true)] out ModelServingState? state)
        {
            var version = new VersionServingState { Version = 1, State = ModelVersionState.Loading, Copies = [0] };
            state = Interlocked.Increment(ref _asked) == 1 ? new ModelServingState(name, [version], null) : null;
            return state is not null;
        }

        public ValueTask RefreshAsync(string name, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public void Publish(ModelServingState state) => throw new InvalidOperationException("nobody publishes here");

        public void FinishInitialLoad() => throw new InvalidOperationException("nobody finishes here");
    }
}
