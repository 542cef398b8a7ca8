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
using Cluster.Grains.Storage;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Cluster.Unit.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Grains;

/// <summary>
/// The real grain of model "m", and the real director, over silos that are simulated: a copy loads where the director says, and tells its model what a copy tells.
/// Whatever is published is checked: copies of one content, arriving ones apart, placements where the copies are.
/// </summary>
internal sealed class SimulatedCluster : FakeGrainFactory, IAsyncDisposable, IPlacementContext
{
    private readonly ConcurrentDictionary<string, SimulatedCopy> _copies = new();
    private readonly ConcurrentQueue<string> _loads = new();
    private readonly ConcurrentQueue<VersionServingState> _told = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly TaskCompletionSource _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TestSilo _runtime = null!;
    private long _epoch = 100;

    public FakeMembership Membership { get; } = new();

    public InMemorySiloStates SiloStates { get; } = new();

    public TestSilo Runtime => _runtime;

    public CopyOptions CopyOptions { get; } = new();

    /// <summary>Silos on which every load fails.</summary>
    public ConcurrentDictionary<SiloAddress, bool> BrokenSilos { get; } = new();

    /// <summary>Content that loads nowhere.</summary>
    public string? BrokenRevision { get; set; }

    /// <summary>What each load awaits.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Loads that began, as "copy at port".</summary>
    public IReadOnlyCollection<string> Loads => _loads;

    /// <summary>What was published of version 1, in order.</summary>
    public IReadOnlyCollection<VersionServingState> Told => _told;

    public IModelGrain Model => _runtime.Get<IModelGrain>("m");

    public IServingStates States => _runtime.Services.GetRequiredService<IServingStates>();

    public VersionServingState Version => States.TryGet("m", out var state) ? state.Versions.Single() : throw new InvalidOperationException("nothing is published");

    public SiloAddress LocalSilo => Silos.A;

    public SiloStatus LocalSiloStatus => SiloStatus.Active;

    /// <summary>Copies in memory, by number, with the port of their silo.</summary>
    public IReadOnlyDictionary<int, int> InMemory =>
        _copies.Values.Where(copy => copy.Silo is not null).ToImmutableSortedDictionary(copy => copy.Id.Copy, copy => copy.Silo!.Endpoint.Port);

    public static async Task<SimulatedCluster> StartAsync(int silos, ScalingOptions? scaling = null)
    {
        var cluster = new SimulatedCluster();
        for (var number = 1; number <= silos; number++)
        {
            cluster.Membership.Set(Silos.At(number), SiloStatus.Active);
            cluster.SiloStates.Publish(new SiloState { Silo = Silos.At(number), Capacity = 1L << 30 });
        }

        cluster._runtime = await TestSilo.StartAsync(
            services => services
                .AddSingleton(cluster.CopyOptions)
                .AddSingleton(scaling ?? new ScalingOptions())
                .AddSingleton<ISiloStates>(cluster.SiloStates)
                .AddSingleton(new PlacementRandom(new Random(1)))
                .AddSingleton<IRegistrations, InMemoryRegistrations>()
                .AddSingleton<IServingStates, InMemoryServingStates>()
                .AddModelGrains(new InferenceOptions { Threads = 1 })
                .AddSingleton(provider => cluster.Services(provider))
                .AddMemoryGrainStorage(ModelGrains.StorageName));
        cluster.States.Changed += _ => cluster.Check();
        return cluster;
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

    /// <summary>A request, as a gateway that takes one copy at a time would send it: it loads the copy if need be.</summary>
    public Task AskAsync(int copy) => Copy(new ModelCopyId("m", 1, copy).ToString()).DescribeAsync(CancellationToken.None).AsTask().Soon();

    /// <summary>What a silo's round would tell of a copy.</summary>
    public Task ReportLoadAsync(int copy, double requestsPerMinute = 10) => Model.ReportLoadAsync(new CopyLoadReport
    {
        Copy = new ModelCopyId("m", 1, copy),
        Epoch = 1,
        RequestsPerMinute = requestsPerMinute,
        LoadedFor = TimeSpan.FromHours(1),
    }).AsTask().Soon();

    /// <summary>The silo of a copy is gone, with everything on it, and the model hears of it.</summary>
    public Task LoseSiloAsync(int ofCopy)
    {
        var silo = Silo(InMemory[ofCopy]);
        Membership.Set(silo, SiloStatus.Dead);
        foreach (var copy in _copies.Values.Where(copy => copy.Silo == silo))
        {
            copy.Silo = null;
        }

        return Model.SilosLostAsync([silo.ToParsableString()]).AsTask().Soon("the model's hearing of the loss");
    }

    public static SiloAddress Silo(int port) => Silos.At(port - 1000);

    /// <summary>Waits for a published change.</summary>
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
        Look("");
        await reached.Task.Soon(what);
        States.Changed -= Look;
    }

    public override TGrainInterface GetGrain<TGrainInterface>(string primaryKey, string? grainClassNamePrefix = null) =>
        typeof(TGrainInterface) == typeof(IModelVersionGrain)
            ? (TGrainInterface)(IGrainWithStringKey)Copy(primaryKey)
            : _runtime.Grains.GetGrain<TGrainInterface>(primaryKey, grainClassNamePrefix);

    public override TGrainInterface GetGrain<TGrainInterface>(GrainId grainId) => typeof(TGrainInterface) == typeof(IModelVersionGrain)
        ? (TGrainInterface)(IAddressable)Copy(grainId.Key.ToString()!)
        : _runtime.Grains.GetGrain<TGrainInterface>(grainId);

    public SiloAddress[] GetCompatibleSilos(PlacementTarget target) =>
        [.. Membership.CurrentSnapshot.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress).Order()];

    // A test that fails before it opens its gate fails of that, not of a silo that waits for a load.
    public async ValueTask DisposeAsync()
    {
        _end.TrySetResult();
        await _runtime.DisposeAsync();
        Assert.Empty(_violations);
    }

    private SimulatedCopy Copy(string key) => _copies.GetOrAdd(key, _ => new SimulatedCopy(this, ModelCopyId.TryParse(key, out var id) ? id : default));

    private ModelServices Services(IServiceProvider provider) => new(
        provider.GetRequiredService<IRegistrations>(),
        provider.GetRequiredService<IServingStates>(),
        new SiloView(Membership, SiloStates),
        provider.GetRequiredService<PlacementRequests>(),
        provider.GetRequiredService<CopyCache>(),
        provider.GetRequiredService<ModelCacheOptions>(),
        CopyOptions,
        provider.GetRequiredService<ScalingOptions>(),
        provider.GetRequiredService<LoadMetrics>(),
        provider.GetRequiredService<ModelMetrics>(),
        this,
        provider.GetRequiredService<TimeProvider>());

    private void Check()
    {
        if (!States.TryGet("m", out var state) || state.Versions is not [var version])
        {
            return;
        }

        _told.Enqueue(version);
        var contents = version.Copies.Select(copy => Copy($"m/1/{copy}")).Where(copy => copy.Silo is not null).Select(copy => copy.Revision).Distinct().Count();
        var known = version.Copies.Concat(version.Arriving).ToHashSet();
        if (contents > 1
            || (version.State == ModelVersionState.Ready && version.Copies.Intersect(version.Arriving).Any())
            || version.Placements.Any(placement => !known.Contains(placement.Copy))
            || version.Placements.Select(placement => placement.Silo).Distinct().Count() != version.Placements.Length)
        {
            _violations.Enqueue($"{contents} contents, copies {string.Join(',', version.Copies)}, arriving {string.Join(',', version.Arriving)}, {string.Join(',', version.Placements)}");
        }
    }

    private Task<SiloAddress> PlaceAsync(ModelCopyId id)
    {
        var services = _runtime.Services;
        var director = new ModelPlacementDirector(
            new SiloView(Membership, SiloStates),
            services.GetRequiredService<PlacementRequests>(),
            services.GetRequiredService<RecentPlacements>(),
            new PlacementOptions(),
            services.GetRequiredService<PlacementRandom>(),
            services.GetRequiredService<PlacementMetrics>());
        return director.OnAddActivation(new ModelPlacement(), TargetOf(GrainId.Create("modelversion", id.ToString())), this);
    }

    private sealed class SimulatedCopy(SimulatedCluster cluster, ModelCopyId id) : IModelVersionGrain
    {
        private readonly Lock _lock = new();
        private Task _activation = Task.CompletedTask;
        private long _epoch;

        public ModelCopyId Id => id;

        /// <summary>Where it is in memory, or null.</summary>
        public SiloAddress? Silo { get; set; }

        public string Revision { get; private set; } = "";

        public async ValueTask<ModelDescription> DescribeAsync(CancellationToken cancellationToken)
        {
            Task activation;
            lock (_lock)
            {
                if (Silo is null && _activation.IsCompleted)
                {
                    _activation = ActivateAsync();
                }

                activation = _activation;
            }

            await activation;
            return CopyReports.Description;
        }

        public async ValueTask UnloadAsync()
        {
            if (Silo is null)
            {
                throw Refusal("not wanted", TimeSpan.Zero);
            }

            var report = Report(Silo, inMemory: false);
            Silo = null;
            await cluster.Model.ReportAsync(report);
        }

        public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<CopyStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        private static ServingException Refusal(string why, TimeSpan retryAfter) => new(Failure.Unavailable(why, retryAfter));

        private async Task ActivateAsync()
        {
            if (!cluster.Version.Wants(id.Copy) || !cluster._runtime.Services.GetRequiredService<IRegistrations>().TryGet("m", out var registration))
            {
                throw Refusal("not wanted", TimeSpan.Zero);
            }

            var silo = await cluster.PlaceAsync(id);
            var revision = registration.Versions[0].Revision;
            if (cluster._copies.Values.Any(copy => copy.Silo == silo && copy.Revision == revision))
            {
                throw Refusal("another copy is here", TimeSpan.Zero);
            }

            cluster._loads.Enqueue($"{id.Copy} at {silo.Endpoint.Port}");
            await Task.WhenAny(cluster.Gate, cluster._end.Task);
            if (cluster.Membership.CurrentSnapshot.GetSiloStatus(silo) == SiloStatus.Dead)
            {
                throw new SiloUnavailableException("the silo died");
            }

            if (cluster.BrokenSilos.ContainsKey(silo) || revision == cluster.BrokenRevision)
            {
                var isForAnother = await cluster.Model.ReportFailureAsync(new CopyFailure(id, revision, "s", "corrupt", silo.ToParsableString()));
                throw Refusal("corrupt", isForAnother ? TimeSpan.Zero : TimeSpan.FromSeconds(10));
            }

            (Silo, Revision, _epoch) = (silo, revision, Interlocked.Increment(ref cluster._epoch));
            await cluster.Model.ReportAsync(Report(silo, inMemory: true));
        }

        private CopyReport Report(SiloAddress silo, bool inMemory) => new()
        {
            Copy = id,
            Silo = silo.ToParsableString(),
            Epoch = _epoch,
            InMemory = inMemory,
            Revision = Revision,
            SettingsRevision = "s",
            Description = CopyReports.Description,
            Statistics = inMemory ? null : new CopyStatistics(),
        };
    }
}
