using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Cluster.Grains.Registry;
using Cluster.Grains.Scaling;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>
/// The real grain of model "m" over silos that are simulated: a replica loads where its key says, and tells its model when it ends.
/// What is published is checked: replicas of one content, arriving ones apart, no two on one silo.
/// </summary>
internal sealed class SimulatedCluster : FakeGrainFactory, IAsyncDisposable
{
    /// <summary>What replicas tell of their end.</summary>
    public const string EvictedBecause = "evicted in a test";

    /// <summary>Settings of a model with two replicas at least.</summary>
    public static readonly ModelSettings Two = new() { MinCopies = 2 };

    private readonly ConcurrentDictionary<string, SimulatedReplica> _replicas = new();
    private readonly ConcurrentQueue<string> _loads = new();
    private readonly ConcurrentQueue<VersionServingState> _told = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestSilo _runtime = null!;

    private event Action<string>? LoadBegan;

    /// <summary>Numbers of the replicas that serve.</summary>
    public IEnumerable<int> Serving => Version.Replicas.Select(static replica => replica.Number);

    public FakeMembership Membership { get; } = new();

    /// <summary>What the model's grain keeps its state in.</summary>
    public RefusingStorage Storage { get; } = new();

    public InMemorySiloStates SiloStates { get; } = new();

    public TestSilo Runtime => _runtime;

    public ReplicaOptions ReplicaOptions { get; } = new();

    /// <summary>Silos on which every load fails.</summary>
    public ConcurrentDictionary<SiloAddress, bool> BrokenSilos { get; } = new();

    /// <summary>Silos that have no room, even if they published some.</summary>
    public ConcurrentDictionary<SiloAddress, bool> FullSilos { get; } = new();

    /// <summary>Silos that have no room unless others go for it, even if they published some.</summary>
    public ConcurrentDictionary<SiloAddress, bool> CrowdedSilos { get; } = new();

    /// <summary>Content that loads nowhere.</summary>
    public string? BrokenRevision { get; set; }

    /// <summary>Content that takes its silo down as it loads.</summary>
    public string? DeadlyRevision { get; set; }

    /// <summary>What each load awaits.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Loads that began, as "number at port".</summary>
    public IReadOnlyCollection<string> Loads => _loads;

    /// <summary>What was published of version 1, in order.</summary>
    public IReadOnlyCollection<VersionServingState> Told => _told;

    public IModelGrain Model => _runtime.Get<IModelGrain>("m");

    public IServingStates States => _runtime.Services.GetRequiredService<IServingStates>();

    public VersionServingState Version => States.TryGet("m", out var state) ? state.Versions.Single() : throw new InvalidOperationException("nothing is published");

    /// <summary>Replicas in memory, by number, with the port of their silo.</summary>
    public IReadOnlyDictionary<int, int> InMemory =>
        _replicas.Values.Where(replica => replica.IsLoaded).ToImmutableSortedDictionary(replica => replica.Id.Number, replica => replica.Id.Silo.Endpoint.Port);

    public static async Task<SimulatedCluster> StartAsync(int silos, ScalingOptions? scaling = null)
    {
        var cluster = new SimulatedCluster();
        for (var number = 1; number <= silos; number++)
        {
            cluster.AddSilo(number);
        }

        cluster._runtime = await TestSilo.StartAsync(
            services => services
                .AddSingleton(cluster.ReplicaOptions)
                .AddSingleton(scaling ?? new ScalingOptions())
                .AddSingleton<ISiloStates>(cluster.SiloStates)
                .AddSingleton(new PlacementRandom(new Random(1)))
                .AddSingleton<IRegistrations, InMemoryRegistrations>()
                .AddSingleton<IServingStates, InMemoryServingStates>()
                .AddModelGrains(new InferenceOptions { Threads = 1 })
                .AddSingleton(provider => cluster.Services(provider))
                .AddKeyedSingleton<IGrainStorage>(ModelGrains.StorageName, cluster.Storage));
        cluster.States.Changed += _ => cluster.Check();
        return cluster;
    }

    /// <summary>A silo joins that has room.</summary>
    public void AddSilo(int number)
    {
        Membership.Set(Silos.At(number), SiloStatus.Active);
        SiloStates.Publish(new SiloState { Silo = Silos.At(number), Capacity = 1L << 30 });
    }

    public Task ApplyAsync(string revision, ModelSettings? settings = null, bool retryFailed = false) => Model.ApplyAsync(
        new ModelRegistration
        {
            Name = "m",
            Versions = [new ModelVersionSource(1, Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), revision)],
            Settings = settings ?? ModelSettings.Default,
            SettingsRevision = "s",
        },
        retryFailed,
        CancellationToken.None).AsTask().Soon("the registration's being carried out");

    /// <summary>A request, as a gateway would have it: it loads the version if need be.</summary>
    public Task AskAsync() => Model.EnsureLoadedAsync(1, missing: null, CancellationToken.None).AsTask().Soon();

    /// <summary>A replica ends by itself, as an evicted one does.</summary>
    public Task EvictAsync(int number) => Replica(number).UnloadAsync().AsTask().Soon();

    /// <summary>Other models that silos were lost with are being loaded on the silos of these ports, and nowhere else.</summary>
    public void PublishSuspects(IEnumerable<int> ports) => States.Publish(new ModelServingState(
        "suspects",
        [new VersionServingState { Version = 1, State = ModelVersionState.Loading, IsSuspect = true, Arriving = [.. ports.Select(static (port, number) => new PlacedReplica(number, Silo(port)))] }],
        null));

    /// <summary>Runs that do not end have all slots of a replica, and its silo has found that.</summary>
    public Task StickAsync(int number)
    {
        var replica = Replica(number);
        replica.IsLoaded = false;
        return Model.ReplicaEndedAsync(new ReplicaEnd(replica.Id, new ReplicaStatistics(), ServingReasons.Stuck, IsStuck: true)).AsTask().Soon();
    }

    /// <summary>A replica is not there any more, and its model has not been told.</summary>
    public ModelReplicaId Vanish(int number)
    {
        var replica = Replica(number);
        replica.IsLoaded = false;
        return replica.Id;
    }

    /// <summary>What a silo's round would tell of a replica.</summary>
    public Task ReportLoadAsync(int number, double requestsPerMinute = 10) => Model.ReportLoadAsync(new UtilizationReport
    {
        Replica = Replica(number).Id,
        RequestsPerMinute = requestsPerMinute,
        LoadedFor = TimeSpan.FromHours(1),
    }).AsTask().Soon();

    /// <summary>The silo of a replica is gone, with everything on it, and the model hears of it.</summary>
    public Task LoseSiloAsync(int ofReplica)
    {
        var silo = Silo(InMemory[ofReplica]);
        Membership.Set(silo, SiloStatus.Dead);
        foreach (var replica in _replicas.Values.Where(replica => replica.Id.Silo == silo))
        {
            replica.IsLoaded = false;
        }

        return Model.SilosLostAsync([silo]).AsTask().Soon("the model's hearing of the loss");
    }

    /// <summary>Whether the replicas are those of these numbers, in their order.</summary>
    public static bool Are(ImmutableArray<PlacedReplica> replicas, params int[] numbers) => replicas.Select(static replica => replica.Number).SequenceEqual(numbers);

    public static SiloAddress Silo(int port) => Silos.At(port - 1000);

    /// <summary>Waits for a published change, or for a load that begins.</summary>
    public async Task UntilAsync(Func<bool> condition, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(condition))] string what = "")
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
        LoadBegan += Look;
        Look("");
        await reached.Task.Soon(what);
        States.Changed -= Look;
        LoadBegan -= Look;
    }

    public override TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null) =>
        typeof(TGrainInterface) == typeof(IModelReplicaGrain)
            ? (TGrainInterface)(IGrainWithStringKey)Replica(primaryKey)
            : _runtime.Grains.GetGrain<TGrainInterface>(primaryKey, grainClassNamePrefix);

    public override TGrainInterface GetGrain<TGrainInterface>(GrainId grainId) => typeof(TGrainInterface) == typeof(IModelReplicaGrain)
        ? (TGrainInterface)(IAddressable)Replica(grainId.Key.ToString()!)
        : _runtime.Grains.GetGrain<TGrainInterface>(grainId);

    // A test that fails before it opens its gate fails of that, not of a silo that waits for a load.
    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult();
        await _runtime.DisposeAsync();
        Assert.Empty(_violations);
    }

    private SimulatedReplica Replica(string key) =>
        _replicas.GetOrAdd(key, _ => new SimulatedReplica(this, ModelReplicaId.TryParse(key, out var id) ? id : default));

    private SimulatedReplica Replica(int number) => _replicas.Values.Single(replica => replica.Id.Number == number);

    private ModelServices Services(IServiceProvider provider)
    {
        var view = new SiloView(Membership, SiloStates);
        return new ModelServices(
            provider.GetRequiredService<IRegistrations>(),
            provider.GetRequiredService<IServingStates>(),
            view,
            provider.GetRequiredService<PlacementRequests>(),
            new ReplicaPlacer(
                view,
                new PlacementOptions(),
                provider.GetRequiredService<PlacementRandom>(),
                provider.GetRequiredService<PlacementMetrics>(),
                provider.GetRequiredService<TimeProvider>()),
            provider.GetRequiredService<ReplicaCache>(),
            provider.GetRequiredService<ModelCacheOptions>(),
            ReplicaOptions,
            provider.GetRequiredService<ScalingOptions>(),
            provider.GetRequiredService<LoadMetrics>(),
            provider.GetRequiredService<ModelMetrics>(),
            this,
            provider.GetRequiredService<PlacementRandom>(),
            provider.GetRequiredService<TimeProvider>());
    }

    private void Check()
    {
        if (!States.TryGet("m", out var state) || state.Versions is not [var version])
        {
            return;
        }

        _told.Enqueue(version);
        var contents = version.Replicas
            .Select(replica => Replica(new ModelReplicaId("m", 1, replica.Number, replica.Silo).ToString()))
            .Where(replica => replica.IsLoaded)
            .Select(replica => replica.Revision)
            .Distinct()
            .Count();
        if (contents > 1
            || version.Replicas.Intersect(version.Arriving).Any()
            || version.Replicas.Select(replica => replica.Silo).Distinct().Count() != version.Replicas.Length)
        {
            _violations.Enqueue($"{contents} contents, replicas {string.Join(',', version.Replicas)}, arriving {string.Join(',', version.Arriving)}");
        }
    }

    private sealed class SimulatedReplica(SimulatedCluster cluster, ModelReplicaId id) : IModelReplicaGrain
    {
        public ModelReplicaId Id => id;

        public bool IsLoaded { get; set; }

        public string Revision { get; private set; } = "";

        public async ValueTask<ReplicaLoad> EnsureLoadedAsync(ReplicaSpec spec, CancellationToken cancellationToken)
        {
            cluster._loads.Enqueue($"{id.Number} at {id.Silo.Endpoint.Port}");
            cluster.LoadBegan?.Invoke("m");
            await Task.WhenAny(cluster.Gate, cluster._end.Task).WaitAsync(cancellationToken);
            if (spec.Source.Revision == cluster.DeadlyRevision)
            {
                cluster.Membership.Set(id.Silo, SiloStatus.Dead);
            }

            if (cluster.Membership.CurrentSnapshot.GetSiloStatus(id.Silo) == SiloStatus.Dead)
            {
                throw new SiloUnavailableException("the silo died");
            }

            if (cluster.FullSilos.ContainsKey(id.Silo) || (spec.FreeRoomOnly && cluster.CrowdedSilos.ContainsKey(id.Silo)))
            {
                return new ReplicaLoad(null, Failure.Exhausted("full", TimeSpan.FromSeconds(3)));
            }

            if (cluster.BrokenSilos.ContainsKey(id.Silo) || spec.Source.Revision == cluster.BrokenRevision)
            {
                return new ReplicaLoad(null, Failure.Unavailable("corrupt", TimeSpan.FromSeconds(10)) with { Kind = FailureKind.LoadFailed });
            }

            (IsLoaded, Revision) = (true, spec.Source.Revision);
            return new ReplicaLoad(ReplicaStates.Description, null);
        }

        public async ValueTask UnloadAsync()
        {
            if (IsLoaded)
            {
                IsLoaded = false;
                await cluster.Model.ReplicaEndedAsync(new ReplicaEnd(id, new ReplicaStatistics(), EvictedBecause));
            }
        }

        public ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken) => new(IsLoaded ? ReplicaStates.Description : null);

        public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
