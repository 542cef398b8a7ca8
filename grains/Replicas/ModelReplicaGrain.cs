using System.Globalization;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Contracts.Tracing;
using Cluster.Grains.Cache;
using Cluster.Grains.Memory;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Sessions;
using Cluster.Grains.Sessions.Loading;
using Cluster.Grains.Tracing;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;
using Orleans.GrainDirectory;

namespace Cluster.Grains.Replicas;

/// <inheritdoc cref="IModelReplicaGrain"/>
/// <remarks>
/// Reentrant: a turn only hands a request to <see cref="Replica"/>; what runs longer than the way to another thread runs there. Kept alive: a loaded model ends because
/// its place or its end is wanted, not because it is quiet. One that is not loaded is not kept.
/// </remarks>
#pragma warning disable CA1001 // The source of cancellation has no timer, and an eviction may come after the activation's end.
[Reentrant, KeepAlive, ReplicaPlacement, GrainDirectory(KeyDirectory.Replicas)]
[GrainType(ClusterGrains.ReplicaType)]
internal sealed class ModelReplicaGrain(ReplicaServices services, ILogger<ModelReplicaGrain> logger) : Grain, IModelReplicaGrain
#pragma warning restore CA1001
{
    /// <summary>Where the replica itself finds the number of runs at once: more of them hardly make it faster, and each takes memory.</summary>
    private const int MostRunsAProcessor = 4;

    /// <summary>Of a silo's room that may be taken for a second session of a model to come before its first request.</summary>
    private const double MostEarlySolo = 0.5;

    private readonly CancellationTokenSource _unloaded = new();
    private readonly Lock _sizing = new();
    private Task<ReplicaLoad>? _loading;
    private volatile Replica? _replica;
    private CacheEntry? _room;
    private IModelGrain _owner = null!;
    private ModelReplicaId _id;
    private int _ends;
    private long _loadedBytes;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!ModelReplicaId.TryParse(this.GetPrimaryKeyString(), out _id))
        {
            throw ServingException.InvalidArgument($"'{this.GetPrimaryKeyString()}' is no key of a replica, expected name/version/number@silo");
        }

        // It is told outside of the grain's turns too, where Orleans gives no grain factory.
        _owner = GrainFactory.GetModel(_id.Model);
        return Task.CompletedTask;
    }

    /// <summary>Answers the requests that it has taken, then unloads.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        GiveUp();
        if (_loading is { } loading)
        {
            await loading;
        }

        await EndAsync(reason.Description, isShutdown: reason.ReasonCode == DeactivationReasonCode.ShuttingDown);
    }

    /// <inheritdoc/>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (Loaded() is { } replica)
        {
            return ServingTrace.IsOn ? ReplicaSpans.InferAsync(replica, request, cancellationToken) : replica.InferAsync(request, cancellationToken);
        }

        if (request.Message.TryTake())
        {
            request.Message.Dispose();
        }

        return ValueTask.FromResult(InferReply.Failed(Replica.NotLoaded(_id)));
    }

    /// <inheritdoc/>
    public async ValueTask<ReplicaLoad> EnsureLoadedAsync(ReplicaSpec spec, CancellationToken cancellationToken)
    {
        if (_unloaded.IsCancellationRequested)
        {
            return NotLoaded(Replica.NotLoaded(_id));
        }

        _loading ??= LoadAsync(spec);
        await using var stop = cancellationToken.UnsafeRegister(static unloaded => ((CancellationTokenSource)unloaded!).Cancel(), _unloaded);
        var loaded = await _loading;
        if (loaded.Failure is not null)
        {
            DeactivateOnIdle();
        }

        return loaded;
    }

    /// <inheritdoc/>
    public ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Loaded()?.Description);

    /// <inheritdoc/>
    public ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Loaded()?.Statistics);

    /// <inheritdoc/>
    public ValueTask UnloadAsync()
    {
        _ = UnloadAsync("on the word of its model");
        return ValueTask.CompletedTask;
    }

    private static ReplicaLoad NotLoaded(Failure failure) => new(null, failure);

    /// <summary>The replica, if it takes requests; an activation without one ends.</summary>
    private Replica? Loaded()
    {
        if (_replica is null && _loading is null)
        {
            DeactivateOnIdle();
        }

        return _replica;
    }

    private async Task<ReplicaLoad> LoadAsync(ReplicaSpec spec)
    {
        using var span = ReplicaSpans.BeginLoad(_id);
        var load = await LoadOnceAsync(spec);
        if (span is not null)
        {
            ReplicaSpans.EndLoad(span, load.Failure, _loadedBytes);
        }

        return load;
    }

    /// <summary>Waits for room, then loads. Failures are values.</summary>
    private async Task<ReplicaLoad> LoadOnceAsync(ReplicaSpec spec)
    {
        if (services.Local.IsDraining)
        {
            return NotLoaded(Failure.Moved($"replica {_id.Number} of model '{_id.Model}' version {_id.Version} is not loaded here: its silo takes no replica, as it is drained or leaves"));
        }

        var start = services.Time.GetTimestamp();
        CacheEntry? room = null;
        LoadedModel? model = null;
        try
        {
            room = await services.Cache.AdmitAsync(_id, spec, Evict, _unloaded.Token);
            _room = room;
            var opening = services.Time.GetTimestamp();
            model = await services.Sessions.OpenAsync(_id.Model, spec, TellDownload, _unloaded.Token);
            services.Cache.Loaded(room, _id.Model, spec.Source, model.LoadedBytes, services.Time.GetElapsedTime(opening));

            // The first request then takes no longer than later ones. Where models wait for their loads, or room is scarce, it comes when it is wanted.
            if (model.GainsFromSolo && services.Sessions.IsFree)
            {
                await AddSoloAsync(model, room, spec, MostEarlySolo, waits: false);
                _unloaded.Token.ThrowIfCancellationRequested();
            }

            var replica = Start(model, room, spec);
            _ = KeepGraphAsync(model, spec);
            _loadedBytes = model.LoadedBytes;
            services.LoadMetrics.Succeeded(_id.Model, services.Time.GetElapsedTime(start));
            Log.Loaded(
                logger, _id.Model, _id.Version, _id.Number, Milliseconds(start), model.Provider.ToString(), model.Concurrency, model.IntraOpThreads);
            return new ReplicaLoad(replica.Description, null);
        }
        catch (OperationCanceledException) when (_unloaded.IsCancellationRequested)
        {
            Discard(model, room);
            return NotLoaded(Failure.Moved($"the load of model '{_id.Model}' version {_id.Version} was given up"));
        }
        catch (ServingException exception)
        {
            Discard(model, room);
            return NotLoaded(Failed(exception, start));
        }
    }

    private Replica Start(LoadedModel model, CacheEntry room, ReplicaSpec spec)
    {
        var queueLimit = spec.Settings.QueueLimit ?? services.Options.QueueLimit;
        var statistics = new ReplicaStatisticsRecorder(services.Time);
        var metrics = services.Metrics.Create(_id.Model, _id.Version, model.Concurrency, model.Concurrency, model.Provider);
        var queue = new ReplicaQueue(model, queueLimit, LongestWait(spec.Settings.QueueDelay ?? services.Options.QueueDelay), services.Workers, statistics, metrics, services.Time, logger)
        {
            StuckAfter = services.Options.StuckAfter,
            MaxBytes = spec.Settings.QueueBytes ?? (services.Options.QueueBytes is > 0 and var bytes ? bytes : OnnxAllocator.RoomForMessages / 2),
            Tuner = spec.Settings.AdaptiveConcurrency ? new ConcurrencyTuner(model.Concurrency, Math.Max(model.Concurrency, MostRunsAProcessor * Environment.ProcessorCount), services.Time) : null,
        };
        var replica = new Replica(
            _id, model, room, services.Cache, queue, metrics, statistics, Responses(spec.Settings), services.Time, model.Describe(spec.VersionPolicy, spec.Settings, queueLimit));
        model.RunMemory.Changed += _ => Resize(model, room, spec);
        Resize(model, room, spec);
        model.SoloWanted = () => _ = AddSoloAsync(model, room, spec, 1, waits: true);
        _replica = replica;
        services.Local.Add(new LocalReplica(
            _id,
            new ReplicaActivity(_id, room, queue, statistics, services.Time) { End = () => _ = UnloadAsync("its model names it no more"), GiveUp = () => _ = GiveUpStuckAsync() },
            replica,
            new ReplicaGauge(_id, room, queue, metrics, services.Time)));
        return replica;
    }

    private static ResponseCache? Responses(ModelSettings settings) => settings.ResponseCacheBytes > 0 ? new ResponseCache(settings.ResponseCacheBytes) : null;

    private static TimeSpan? LongestWait(TimeSpan delay) => delay > TimeSpan.Zero ? delay : null;

    /// <summary>One at a time: a later figure must not be written over by an earlier one.</summary>
    private void Resize(LoadedModel model, CacheEntry room, ReplicaSpec spec)
    {
        lock (_sizing)
        {
            services.Cache.Resized(room, _id.Model, spec.Source, model.LoadedBytes + model.RunMemory.Peak, model.SoloBytes + spec.Settings.ResponseCacheBytes);
        }
    }

    /// <summary>Only into room that is free: no other model ends for it, and it comes with the replica's next load otherwise.</summary>
    /// <param name="most">Of the silo's room that may then be taken, 0 to 1.</param>
    /// <param name="waits">Whether for other sessions of that kind.</param>
    private async Task AddSoloAsync(LoadedModel model, CacheEntry room, ReplicaSpec spec, double most, bool waits)
    {
        try
        {
            if (await services.Sessions.AddSoloAsync(model, spec, waits, HasFreeRoom, () => Resize(model, room, spec), _unloaded.Token).ConfigureAwait(false))
            {
                Log.SoloAdded(logger, _id.Model, _id.Version, _id.Number, model.Plan.ThreadsAlone, model.SoloBytes);
            }
        }
        catch (OperationCanceledException) when (_unloaded.IsCancellationRequested)
        {
            return;
        }
        catch (ServingException exception)
        {
            Log.SoloNotAdded(logger, _id.Model, _id.Version, _id.Number, exception.Failure.Message);
        }

        bool HasFreeRoom() => services.Cache.ReadBytes() is var now && now.Used + now.Unloading + now.Waiting + model.LoadedBytes <= most * now.Capacity;
    }

    private async Task KeepGraphAsync(LoadedModel model, ReplicaSpec spec)
    {
        try
        {
            await services.Sessions.KeepGraphAsync(model, spec, HasFreeRoom, _unloaded.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_unloaded.IsCancellationRequested)
        {
            return;
        }

        // The weights are in memory three times: in the files, in the session that optimizes them, and in the written graph.
        bool HasFreeRoom() => services.Cache.ReadBytes() is var now && now.Used + now.Unloading + now.Waiting + (3 * model.LoadedBytes) <= now.Capacity;
    }

    private void Discard(LoadedModel? model, CacheEntry? room)
    {
        model?.Dispose();
        if (room is not null)
        {
            services.Cache.Release(room);
        }
    }

    private Failure Failed(ServingException exception, long start)
    {
        var failure = exception.Failure;
        if (failure.Kind == FailureKind.Full)
        {
            return failure;
        }

        // What object storage does not give now it may give later: that says nothing of the content.
        var kind = failure.Kind == FailureKind.Lost ? FailureKind.Lost : FailureKind.LoadFailed;

        services.LoadMetrics.Failed(_id.Model);
        Log.LoadFailed(logger, _id.Model, _id.Version, _id.Number, Milliseconds(start), exception.InnerException?.Message ?? failure.Message);
        return failure with { Message = LoadFailures.Message(_id.Model, _id.Version, failure.Message), Kind = kind };
    }

    /// <summary>By its room's last use, as only loaded replicas are evicted.</summary>
    private void Evict() => _ = UnloadAsync(string.Create(
        CultureInfo.InvariantCulture, $"{ServingReasons.Evicted}after {_room?.IdleTime.TotalSeconds ?? 0:0.#} s without use, to make room for another"));

    /// <summary>Ends the replica before its activation, so that calls meanwhile learn at once that it is not loaded.</summary>
    private async Task UnloadAsync(string reason)
    {
        GiveUp();
        if (_loading is { } loading)
        {
            await loading.ConfigureAwait(false);
        }

        await EndAsync(reason, isShutdown: false).ConfigureAwait(false);
        GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, reason));
    }

    private async Task EndAsync(string reason, bool isShutdown)
    {
        if (_replica is not { } replica)
        {
            return;
        }

        services.Local.Remove(_id);
        await replica.EndAsync().ConfigureAwait(false);
        if (Interlocked.Exchange(ref _ends, 1) == 0)
        {
            Log.Unloaded(logger, _id.Model, _id.Version, _id.Number, reason);
            if (!isShutdown)
            {
                await TellAsync(new ReplicaEnd(_id, replica.Statistics, reason)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Its runs do not end: another replica takes its place at once. What it holds is given back when they end, if they do.</summary>
    private async Task GiveUpStuckAsync()
    {
        if (Interlocked.Exchange(ref _replica, null) is not { } replica)
        {
            return;
        }

        Log.GaveUpStuck(logger, _id.Model, _id.Version, _id.Number);
        services.Local.Remove(_id);

        // First: what is sent away asks the model for another replica, which would take this one for one that was merely gone.
        await TellAsync(new ReplicaEnd(_id, replica.Statistics, ServingReasons.Stuck, IsStuck: true)).ConfigureAwait(false);
        await replica.EndAsync(sendsAway: true).ConfigureAwait(false);
        Log.Unloaded(logger, _id.Model, _id.Version, _id.Number, ServingReasons.Stuck);
        GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, ServingReasons.Stuck));
    }

    private void TellDownload(int percent) => _ = TellDownloadAsync(percent);

    private async Task TellDownloadAsync(int percent)
    {
        try
        {
            await _owner.DownloadProgressAsync(_id, percent).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // It is for people alone, and more of it follows.
            Log.NotTold(logger, _id.ToString(), exception.Message);
        }
    }

    private async Task TellAsync(ReplicaEnd end)
    {
        try
        {
            await _owner.ReplicaEndedAsync(end).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // A model that misses this report learns it from the next call that misses the replica.
            Log.NotTold(logger, _id.ToString(), exception.Message);
        }
    }

    /// <summary>At once: a load under way gets the cancellation before this returns.</summary>
    private void GiveUp() => _unloaded.Cancel();

    private double Milliseconds(long start) => Math.Round(services.Time.GetElapsedTime(start).TotalMilliseconds, 1);
}

/// <summary>What a replica's grain needs of its silo.</summary>
internal sealed record ReplicaServices(
    ReplicaCache Cache,
    LocalReplicas Local,
    SessionFactory Sessions,
    InferenceWorkers Workers,
    InferenceOptions Options,
    ReplicaMetricsFactory Metrics,
    LoadMetrics LoadMetrics,
    TimeProvider Time);
