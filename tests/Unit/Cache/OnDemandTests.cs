using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Cache;
using Cluster.Grains.Registry;
using Cluster.Grains.Storage;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Cache;

/// <summary>Model grains over a cache that holds two of the three models "a", "b" and "c".</summary>
public sealed class OnDemandTests : IAsyncLifetime
{
    private const long Base = 1 << 20;

    private readonly ModelFolder _folder = ModelFolder.Create();
    private readonly ModelCacheOptions _options = new()
    {
        BaseBytes = Base,
        Capacity = (5 * Base) / 2,
        MinLoadTime = TimeSpan.FromSeconds(1),
        ChurnLoadTimes = 0,
    };

    private TestSilo _silo = null!;

    private InMemoryServingStates States => (InMemoryServingStates)_silo.Services.GetRequiredService<IServingStates>();

    private CacheSnapshot Books => _silo.Services.GetRequiredService<ReplicaCache>().Read();

    public async ValueTask InitializeAsync()
    {
        _silo = await TestSilo.StartAsync(
            services => services
                .AddMetrics()
                .AddSingleton<IServingStates, InMemoryServingStates>()
                .AddSingleton<IRegistrations, InMemoryRegistrations>()
                .AddSingleton(_options)
                .AddModelGrains(new InferenceOptions { Threads = 1 })
                .AddMemoryGrainStorage(ModelGrains.StorageName));
        foreach (var name in new[] { "a", "b", "c" })
        {
            _folder.Add(Path.Combine(TestPaths.TestModels, "identity_fp32"), name);
            await ApplyAsync(name, "r1");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _silo.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void Apply_NoRoomLeft_ServesOnDemandAndEvictsNone()
    {
        Assert.Equal([false, false, true], Versions().Select(version => version.OnDemand));
        Assert.All(Versions(), version => Assert.Equal((ModelVersionState.Ready, version.OnDemand ? 0 : 1), (version.State, version.Replicas.Length)));
        Assert.Equal(ServingReasons.OnDemand, Version("c").Reason);
        Assert.Equal((2, 0L, 0L), (Books.Copies, Books.Unloading, Books.Waiting));
        Assert.InRange(Books.Used, 2 * Base, _options.Capacity);
    }

    [Fact]
    public async Task Call_NotInMemory_LoadsItInTheLongestUnusedOnesPlace()
    {
        await LoadAsync("c").Soon();

        await UntilAsync(() => !Version("c").OnDemand && Version("a").OnDemand);
        Assert.False(Version("b").OnDemand);
        Assert.Equal((2, 0L, 0L), (Books.Copies, Books.Unloading, Books.Waiting));

        await LoadAsync("a").Soon();
        await UntilAsync(() => !Version("a").OnDemand && Version("b").OnDemand);
    }

    [Fact]
    public async Task Evicted_Asked_TellsOfItselfWithoutBeingLoaded()
    {
        await LoadAsync("a").Soon();
        _ = await Replica("a").InferAsync(
            new() { Message = Contracts.Buffers.PayloadBuffer.CopyOf([]) }, CancellationToken.None);
        await LoadAsync("c").Soon();
        await LoadAsync("b").Soon();
        await UntilAsync(() => Version("a").OnDemand);

        var known = await _silo.Get<IModelGrain>("a").GetUnloadedAsync(1);

        Assert.Equal("a", known.Description!.Name);
        Assert.Equal(1, known.Statistics!.Fail.Count);
        Assert.True(Version("a").OnDemand);
    }

    [Fact]
    public async Task Load_NotInMemory_LoadsIt()
    {
        await _silo.Get<IModelGrain>("c").LoadAsync(CancellationToken.None).AsTask().Soon();

        await UntilAsync(() => !Version("c").OnDemand);
    }

    [Fact]
    public async Task Apply_LargerThanTheCapacity_FailsAndTheOthersServe()
    {
        _silo.ExpectedErrors.Add(2101);
        await File.WriteAllBytesAsync(Path.Combine(_folder.Add(Path.Combine(TestPaths.TestModels, "add_one"), "d").Path, "d", "1", "weights"), new byte[3 * Base]);

        await ApplyAsync("d", "r1");

        var version = Version("d");
        Assert.True(version.Failed);
        Assert.Contains("more than the capacity of 2621440 bytes", version.Reason, StringComparison.Ordinal);
        Assert.Equal([false, false, true], Versions().Select(other => other.OnDemand));
    }

    [Fact]
    public async Task Call_LoadOnDemandFails_VersionFailsAndIsTriedAgainLater()
    {
        _silo.ExpectedErrors.UnionWith([2101, 2125]);
        var file = Path.Combine(_folder.Path, "c", "1", "model.onnx");
        var content = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, [1, 2, 3]);

        var failure = (await Assert.ThrowsAsync<ServingException>(() => LoadAsync("c").Soon())).Failure;

        Assert.Equal(StatusCode.Unavailable, failure.Code);
        Assert.StartsWith("failed to load model 'c' version 1: ", failure.Message, StringComparison.Ordinal);
        await UntilAsync(() => Version("c").Failed);
        Assert.Empty(Version("c").Replicas);

        await File.WriteAllBytesAsync(file, content);
        for (var minute = 0; minute <= _options.FailureMemory.TotalMinutes && Version("c").Failed; minute++)
        {
            _silo.Time.Advance(TimeSpan.FromMinutes(1));
            await _silo.Get<IModelGrain>("c").GetUnloadedAsync(1);
        }

        await UntilAsync(() => Version("c").State == ModelVersionState.Ready);
    }

    [Fact]
    public async Task Apply_NewContentWithoutRoomBeside_TakesThePlaceOfAnother()
    {
        // An unload need not be the last thing that is told of: the evicted replica and the replaced one are waited for themselves.
        var before = _silo.EndsOf<IModelReplicaGrain>();

        await ApplyAsync("b", "r2");

        Assert.Equal(2, before.Count);
        await Task.WhenAll(before).Soon("the end of the evicted replica and of the replaced one");
        Assert.Equal(1, Assert.Single(Version("b").Replicas).Number);
        Assert.Equal((1, 0L), (Books.Copies, Books.Unloading));
        Assert.InRange(Books.Used, Base, _options.Capacity);
    }

    [Fact]
    public async Task Apply_NewContentOfWhatIsNotInMemory_IsLoadedByItsFirstRequest()
    {
        await ApplyAsync("c", "r2");
        Assert.True(Version("c").OnDemand);

        await LoadAsync("c").Soon();

        await UntilAsync(() => !Version("c").OnDemand);
    }

    [Fact]
    public async Task Call_TheOldestWasJustUsed_IsRefusedUntilItIsOldEnough()
    {
        _options.ChurnLoadTimes = 10;
        await LoadAsync("c").Soon();
        await LoadAsync("a").Soon();

        var failure = (await Assert.ThrowsAsync<ServingException>(() => LoadAsync("b").Soon())).Failure;

        Assert.Equal((StatusCode.ResourceExhausted, TimeSpan.FromSeconds(10)), (failure.Code, failure.RetryAfter));
        Assert.True(Version("b").OnDemand || Version("b").State == ModelVersionState.Ready);
        _silo.Time.Advance(TimeSpan.FromSeconds(10));
        await LoadAsync("b").Soon();
    }

    [Fact]
    public async Task Unload_NotInMemory_IsNotBroughtBack()
    {
        await _silo.Get<IModelGrain>("c").UnloadAsync(CancellationToken.None).AsTask().Soon();

        Assert.Equal((ModelVersionState.Unavailable, false), (Version("c").State, Version("c").OnDemand));
        Assert.Equal(2, Books.Copies);
        var failure = (await Assert.ThrowsAsync<ServingException>(() => LoadAsync("c").Soon())).Failure;
        Assert.Equal(StatusCode.NotFound, failure.Code);
    }

    private Task ApplyAsync(string name, string revision) => _silo.Get<IModelGrain>(name).ApplyAsync(
        new ModelRegistration
        {
            Name = name,
            Versions =
            [
                new ModelVersionSource(1, Path.Combine(_folder.Path, name, "1", "model.onnx"), revision)
                {
                    Bytes = new DirectoryInfo(Path.Combine(_folder.Path, name, "1")).EnumerateFiles().Sum(static file => file.Length),
                },
            ],
        },
        retryFailed: false,
        CancellationToken.None).AsTask().Soon();

    private Task LoadAsync(string name) =>
        _silo.Get<IModelGrain>(name).EnsureLoadedAsync(1, missing: null, CancellationToken.None).AsTask();

    private IModelReplicaGrain Replica(string name) =>
        _silo.Get<IModelReplicaGrain>(new ModelReplicaId(name, 1, Version(name).Replicas[0].Number, Version(name).Replicas[0].Silo).ToString());

    private IEnumerable<VersionServingState> Versions() => new[] { "a", "b", "c" }.Select(Version);

    private VersionServingState Version(string name) => States.TryGet(name, out var state)
        ? state.Versions.Single()
        : throw new InvalidOperationException($"{name} has no state");

    /// <summary>Waits for a published change, or for an unload, which tells of itself last.</summary>
    private async Task UntilAsync(Func<bool> condition)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(string name)
        {
            if (condition())
            {
                reached.TrySetResult();
            }
        }

        States.Changed += Look;
        Look("");
        await reached.Task.Soon();
        States.Changed -= Look;
    }
}
