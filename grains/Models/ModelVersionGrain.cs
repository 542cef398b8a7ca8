using System.Globalization;
using System.Runtime.CompilerServices;
using Cluster.Contracts;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cache;
using Cluster.Grains.Metrics;
using Cluster.Grains.Placement;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <inheritdoc cref="IModelVersionGrain"/>
/// <remarks>
/// Reentrant: a turn only admits a request to the copy's queue; the run itself happens on an inference thread. Kept alive: a loaded model is
/// unloaded because somebody wants its place or its end, not because it is quiet.
/// </remarks>
[Reentrant, KeepAlive, ModelPlacement]
[GrainType(ClusterGrains.ReplicaType)]
internal sealed class ModelVersionGrain : Grain, IModelVersionGrain
{
    private readonly IRegistrations _registrations;
    private readonly IServingStates _states;
    private readonly CopyCache _cache;
    private readonly LocalCopies _copies;
    private readonly CopyOptions _copyOptions;
    private readonly SessionFactory _sessions;
    private readonly InferenceWorkers _workers;
    private readonly InferenceOptions _options;
    private readonly CopyMetricsFactory _metricsFactory;
    private readonly LoadMetrics _loadMetrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelVersionGrain> _logger;
    private readonly string _silo;
    private LoadedModel? _model;
    private CopyQueue? _queue;
    private CopyMetrics? _metrics;
    private CopyStatisticsRecorder? _statistics;
    private ModelDescription? _description;
    private ModelRegistration? _registration;
    private ModelVersionSource? _source;
    private LocalCopy? _local;
    private CacheEntry? _room;
    private IModelGrain _owner = null!;
    private ModelCopyId _id;

    public ModelVersionGrain(
        IRegistrations registrations,
        IServingStates states,
        CopyCache cache,
        LocalCopies copies,
        CopyOptions copyOptions,
        SessionFactory sessions,
        InferenceWorkers workers,
        InferenceOptions options,
        CopyMetricsFactory metricsFactory,
        LoadMetrics loadMetrics,
        ILocalSiloDetails silo,
        TimeProvider time,
        ILogger<ModelVersionGrain> logger)
    {
        _registrations = registrations;
        _states = states;
        _cache = cache;
        _copies = copies;
        _copyOptions = copyOptions;
        _sessions = sessions;
        _workers = workers;
        _options = options;
        _metricsFactory = metricsFactory;
        _loadMetrics = loadMetrics;
        _silo = silo.SiloAddress.ToParsableString();
        _time = time;
        _logger = logger;
    }

    private CopyQueue Queue => _queue ?? throw new InvalidOperationException("called before the activation loaded the model");

    private CacheEntry Room => _room ?? throw new InvalidOperationException("called before the activation found room");

    /// <summary>Waits for room, then loads the model.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!ModelCopyId.TryParse(this.GetPrimaryKeyString(), out _id))
        {
            throw ServingException.InvalidArgument($"'{this.GetPrimaryKeyString()}' is no key of a model copy, expected name/version/copy");
        }

        // Reports are made outside of the grain's turns too, where Orleans gives no grain factory.
        _owner = GrainFactory.GetGrain<IModelGrain>(_id.Model);

        (_registration, _source) = await FindSourceAsync(cancellationToken);
        Enter(new LocalCopy(_id, _source.Revision, _registration.SettingsRevision));
        var start = _time.GetTimestamp();
        ServingException? failure = null;
        var loaded = false;
        try
        {
            await LoadWhileWantedAsync(cancellationToken);
            loaded = true;
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.Unavailable && exception.Failure.RetryAfter != TimeSpan.Zero)
        {
            failure = exception;
        }
        finally
        {
            if (!loaded)
            {
                _model?.Dispose();
                Leave();
            }
        }

        if (failure is not null)
        {
            throw await FailedAsync(failure, start);
        }

        Start(_registration, start);
        Report(inMemory: true);
    }

    /// <summary>Answers what was taken, then unloads.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_model is not { } model)
        {
            return;
        }

        _copies.Leave(_local!);
        _cache.BeginUnload(Room);
        await Queue.DrainAsync();
        model.Dispose();
        Leave();
        _metrics!.Dispose();
        Log.Unloaded(_logger, _id.Model, _id.Version, _id.Copy, reason.Description);
        if (reason.ReasonCode != DeactivationReasonCode.ShuttingDown)
        {
            Report(inMemory: false);
        }
    }

    /// <inheritdoc/>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        if (!request.Message.TryTake())
        {
            return ValueTask.FromResult(InferReply.Failed(Failure.Cancelled("the caller gave up before the request could run")));
        }

        if (Room.TryPin())
        {
            return InferPinnedAsync(request, cancellationToken);
        }

        request.Message.Dispose();

        // Before the answer, so that whoever asks again finds the copy ending and waits for the next.
        Evict();
        return ValueTask.FromResult(InferReply.Failed(Failure.Unavailable(
            string.Create(CultureInfo.InvariantCulture, $"model '{_id.Model}' version {_id.Version} is being unloaded here"), TimeSpan.Zero)));
    }

    /// <inheritdoc/>
    public ValueTask<ModelDescription> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_description!);

    /// <inheritdoc/>
    public ValueTask<CopyStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_statistics!.Read());

    /// <inheritdoc/>
    public ValueTask UnloadAsync()
    {
        _copies.Leave(_local!);
        DeactivateOnIdle();
        return ValueTask.CompletedTask;
    }

    /// <summary>Gives up the message that was taken, and the room that was pinned.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<InferReply> InferPinnedAsync(InferRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await Queue.EnqueueAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Room.Unpin();
            request.Message.Dispose();
        }
    }

    /// <summary>Waits for room, then loads; gives up as soon as the model does not name this copy any more.</summary>
    private async Task LoadWhileWantedAsync(CancellationToken cancellationToken)
    {
        // Not disposed: a change may still be under way after the last one that was listened to.
        var unwanted = new CancellationTokenSource();
        await using var stop = cancellationToken.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), unwanted);
        _states.Changed += Notice;
        try
        {
            _room = await _cache.AdmitAsync(_id, _source!, Evict, unwanted.Token);
            await LoadAsync(_registration!, _source!, unwanted.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NotServed();
        }
        finally
        {
            _states.Changed -= Notice;
        }

        void Notice(string model)
        {
            if (model == _id.Model && !IsWanted())
            {
                _ = unwanted.CancelAsync();
            }
        }
    }

    private async Task LoadAsync(ModelRegistration registration, ModelVersionSource source, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        _model = await _sessions.OpenAsync(_id.Model, source, registration.Settings, cancellationToken);
        if (!IsWanted() && !await IsWantedElsewhereAsync(cancellationToken))
        {
            // Given up while it loaded, such as after the failure of an earlier attempt: nobody would ever unload it.
            throw NotServed();
        }

        _cache.Loaded(Room, _id.Model, source, SessionMemory.Read(_model.Session), _time.GetElapsedTime(start));
    }

    private void Start(ModelRegistration registration, long start)
    {
        var model = _model!;
        var queueLimit = registration.Settings.QueueLimit ?? _options.QueueLimit;
        _statistics = new CopyStatisticsRecorder(_time);
        _metrics = _metricsFactory.Create(_id.Model, _id.Version, model.Concurrency, model.Concurrency);
        _queue = new CopyQueue(model, queueLimit, _workers, _statistics, _metrics, _time, _logger);
        _description = model.Describe(registration.VersionPolicy, registration.Settings, queueLimit);
        _local!.Activity = new CopyActivity(_id, Room, _queue, _statistics, model.Concurrency, _time)
        {
            Tell = () => Report(inMemory: true),
            End = () => End("nobody wants it any more"),
        };
        _loadMetrics.Succeeded(_id.Model, _time.GetElapsedTime(start));
        Log.Loaded(
            _logger, _id.Model, _id.Version, _id.Copy, Milliseconds(start), model.Provider.ToString(), model.Concurrency, model.IntraOpThreads);
    }

    /// <summary>Tells the model, and answers for it: on another silo the load may do.</summary>
    private async Task<ServingException> FailedAsync(ServingException exception, long start)
    {
        _loadMetrics.Failed(_id.Model);
        Log.LoadFailed(_logger, _id.Model, _id.Version, _id.Copy, Milliseconds(start), exception.Message);
        var failure = new CopyFailure(_id, _source!.Revision, _registration!.SettingsRevision, exception.Message, _silo);
        if (await IsForAnotherSiloAsync(failure))
        {
            return new ServingException(Failure.Unavailable(LoadFailures.Message(_id.Model, _id.Version, exception.Message), TimeSpan.Zero), exception);
        }

        return new ServingException(
            exception.Failure with { Message = LoadFailures.Message(_id.Model, _id.Version, exception.Message) }, exception);
    }

    private async Task<bool> IsForAnotherSiloAsync(CopyFailure failure)
    {
        try
        {
            return await _owner.ReportFailureAsync(failure).AsTask().WaitAsync(_copyOptions.FailureAnswerTimeout, _time);
        }
        catch (Exception exception)
        {
            // Whatever keeps the model from answering: the load has failed all the same, and its caller waits to be told.
            Log.NotTold(_logger, _id.ToString(), exception.Message);
            return false;
        }
    }

    private void Enter(LocalCopy local)
    {
        if (_copies.IsDraining)
        {
            throw Moved("its silo is about to leave");
        }

        if (!_copies.TryEnter(local))
        {
            // Whoever placed this one here did not know of the other.
            _copies.InTheWayOf(local)?.Activity?.Tell();
            throw Moved("its silo holds another copy of it");
        }

        _local = local;
    }

    private void Leave()
    {
        _copies.Leave(_local!);
        if (_room is not null)
        {
            _cache.Release(_room);
        }
    }

    private void Evict() => End("evicted to make room for another");

    private void End(string reason)
    {
        _copies.Leave(_local!);
        GrainContext.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationRequested, reason));
    }

    private void Report(bool inMemory) => _ = TellAsync(_owner.ReportAsync(new CopyReport
    {
        Copy = _id,
        Silo = _silo,
        Epoch = Room.Epoch,
        InMemory = inMemory,
        Revision = _source!.Revision,
        SettingsRevision = _registration!.SettingsRevision,
        Description = _description!,
        Statistics = inMemory ? null : _statistics!.Read(),
    }));

    /// <summary>Awaited by nobody: the model may be waiting for this very copy. What it does not hear only makes what it shows out of date.</summary>
    private async Task TellAsync(ValueTask told)
    {
        try
        {
            await told.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // Nobody is there to hear of it, whatever it is.
            Log.NotTold(_logger, _id.ToString(), exception.Message);
        }
    }

    /// <summary>
    /// What to load. A copy that nobody wants is not loaded, so that a call by an old route brings no unloaded model back. What this silo knows may be
    /// older than the call: it asks before it says no.
    /// </summary>
    private async Task<(ModelRegistration Registration, ModelVersionSource Source)> FindSourceAsync(CancellationToken cancellationToken)
    {
        var version = _id.Version;
        var source = FindSource();
        if (source is null || !IsWanted())
        {
            if (!await IsWantedElsewhereAsync(cancellationToken))
            {
                throw NotServed();
            }

            source = FindSource() ?? throw new ServingException(Failure.NotFound($"Request for unknown model: '{_id.Model}' has no version {version}"));
        }

        return source.Value.Source.Problem is { } problem
            ? throw new ServingException(Failure.Unavailable(LoadFailures.Message(_id.Model, version, problem), LoadFailures.RetryAfter))
            : source.Value;
    }

    private (ModelRegistration Registration, ModelVersionSource Source)? FindSource() =>
        _registrations.TryGet(_id.Model, out var registration) && registration.Versions.FirstOrDefault(entry => entry.Version == _id.Version) is { } source
            ? (registration, source)
            : null;

    private async Task<bool> IsWantedElsewhereAsync(CancellationToken cancellationToken)
    {
        await _registrations.RefreshAsync(_id.Model, cancellationToken);
        await _states.RefreshAsync(_id.Model, cancellationToken);
        return IsWanted();
    }

    private bool IsWanted() =>
        _states.TryGet(_id.Model, out var state) && state.Versions.Any(entry => entry.Version == _id.Version && entry.Wants(_id.Copy));

    private ServingException NotServed() => new(Failure.Unavailable(
        string.Create(CultureInfo.InvariantCulture, $"model '{_id.Model}' version {_id.Version} is not served by copy {_id.Copy} any more"), TimeSpan.Zero));

    private ServingException Moved(string why) => new(Failure.Unavailable(
        string.Create(CultureInfo.InvariantCulture, $"copy {_id.Copy} of model '{_id.Model}' version {_id.Version} is not loaded here: {why}"), TimeSpan.Zero));

    private double Milliseconds(long start) => Math.Round(_time.GetElapsedTime(start).TotalMilliseconds, 1);
}
