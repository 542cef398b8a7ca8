using System.Globalization;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Metrics;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <inheritdoc cref="IModelVersionGrain"/>
/// <remarks>
/// Reentrant: a turn only admits a request to the copy's queue; the run itself happens on an inference thread. Kept alive: a loaded model is
/// unloaded because somebody wants its place or its end, not because it is quiet.
/// </remarks>
[Reentrant, KeepAlive]
internal sealed class ModelVersionGrain : Grain, IModelVersionGrain
{
    private readonly IRegistrations _registrations;
    private readonly IServingStates _states;
    private readonly SessionFactory _sessions;
    private readonly InferenceWorkers _workers;
    private readonly InferenceOptions _options;
    private readonly CopyMetricsFactory _metricsFactory;
    private readonly LoadMetrics _loadMetrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ModelVersionGrain> _logger;
    private LoadedModel? _model;
    private CopyQueue? _queue;
    private CopyMetrics? _metrics;
    private CopyStatisticsRecorder? _statistics;
    private ModelDescription? _description;
    private ModelCopyId _id;

    public ModelVersionGrain(
        IRegistrations registrations,
        IServingStates states,
        SessionFactory sessions,
        InferenceWorkers workers,
        InferenceOptions options,
        CopyMetricsFactory metricsFactory,
        LoadMetrics loadMetrics,
        TimeProvider time,
        ILogger<ModelVersionGrain> logger)
    {
        _registrations = registrations;
        _states = states;
        _sessions = sessions;
        _workers = workers;
        _options = options;
        _metricsFactory = metricsFactory;
        _loadMetrics = loadMetrics;
        _time = time;
        _logger = logger;
    }

    private CopyQueue Queue => _queue ?? throw new InvalidOperationException("called before the activation loaded the model");

    /// <summary>Loads the model.</summary>
    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        if (!ModelCopyId.TryParse(this.GetPrimaryKeyString(), out _id))
        {
            throw ServingException.InvalidArgument($"'{this.GetPrimaryKeyString()}' is no key of a model copy, expected name/version/copy");
        }

        var (registration, source) = FindSource();
        var start = _time.GetTimestamp();
        try
        {
            _model = await _sessions.OpenAsync(_id.Model, source, registration.Settings, cancellationToken);
        }
        catch (ServingException exception)
        {
            _loadMetrics.Failed(_id.Model);
            Log.LoadFailed(_logger, _id.Model, _id.Version, _id.Copy, Milliseconds(start), exception.Message);
            throw new ServingException(
                exception.Failure with { Message = LoadFailures.Message(_id.Model, _id.Version, exception.Message) }, exception);
        }

        if (!IsWanted())
        {
            // Given up while it loaded, such as after the failure of an earlier attempt: nobody would ever unload it.
            _model.Dispose();
            throw NotServed();
        }

        var queueLimit = registration.Settings.QueueLimit ?? _options.QueueLimit;
        _statistics = new CopyStatisticsRecorder(_time);
        _metrics = _metricsFactory.Create(_id.Model, _id.Version, _model.Concurrency, _model.Concurrency);
        _queue = new CopyQueue(_model, queueLimit, _workers, _statistics, _metrics, _time, _logger);
        _description = _model.Describe(registration.VersionPolicy, registration.Settings, queueLimit);
        _loadMetrics.Succeeded(_id.Model, _time.GetElapsedTime(start));
        Log.Loaded(
            _logger, _id.Model, _id.Version, _id.Copy, Milliseconds(start), _model.Provider.ToString(), _model.Concurrency, _model.IntraOpThreads);
    }

    /// <summary>Answers what was taken, then unloads.</summary>
    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (_model is not { } model)
        {
            return;
        }

        await Queue.DrainAsync();
        model.Dispose();
        _metrics!.Dispose();
        Log.Unloaded(_logger, _id.Model, _id.Version, _id.Copy, reason.Description);
    }

    /// <inheritdoc/>
    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken) =>
        Queue.EnqueueAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ModelDescription> DescribeAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_description!);

    /// <inheritdoc/>
    public ValueTask<CopyStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => ValueTask.FromResult(_statistics!.Read());

    /// <inheritdoc/>
    public ValueTask UnloadAsync()
    {
        DeactivateOnIdle();
        return ValueTask.CompletedTask;
    }

    /// <summary>
    /// What to load. A copy that nobody wants is not loaded, so that a call by an old route brings no unloaded model back.
    /// </summary>
    private (ModelRegistration Registration, ModelVersionSource Source) FindSource()
    {
        if (!IsWanted() || !_registrations.TryGet(_id.Model, out var registration))
        {
            throw NotServed();
        }

        var version = _id.Version;
        var source = registration.Versions.FirstOrDefault(entry => entry.Version == version)
            ?? throw new ServingException(Failure.NotFound($"Request for unknown model: '{_id.Model}' has no version {version}"));
        return source.Problem is null
            ? (registration, source)
            : throw new ServingException(Failure.Unavailable(
                LoadFailures.Message(_id.Model, version, source.Problem), LoadFailures.RetryAfter));
    }

    private bool IsWanted() =>
        _states.TryGet(_id.Model, out var state) && state.Versions.Any(entry => entry.Version == _id.Version && entry.Wants(_id.Copy));

    private ServingException NotServed() => new(Failure.Unavailable(
        string.Create(CultureInfo.InvariantCulture, $"model '{_id.Model}' version {_id.Version} is not served by copy {_id.Copy} any more"), TimeSpan.Zero));

    private double Milliseconds(long start) => Math.Round(_time.GetElapsedTime(start).TotalMilliseconds, 1);
}
