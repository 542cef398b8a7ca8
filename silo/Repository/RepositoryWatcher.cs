using System.Collections.Concurrent;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cluster;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Silo.Options;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Repository;

/// <summary>
/// Looks at the repository at the start, at each interval and when asked, and hands every changed model to its grain. Models change independently:
/// a slow load of one holds up no other.
/// </summary>
internal sealed class RepositoryWatcher : BackgroundService, IRepositoryControl
{
    private readonly SemaphoreSlim _scanning = new(1);
    private readonly Dictionary<string, ModelRegistration> _handedOver = new(StringComparer.Ordinal);

    /// <summary>Models whose names clients have registered; they are handed over again until they are taken.</summary>
    private readonly ConcurrentDictionary<string, bool> _refused = new(StringComparer.Ordinal);
    private readonly IModelRepository _repository;
    private readonly IRegistryRestorer _registry;
    private readonly IGrainFactory _grains;
    private readonly IServingStates _states;
    private readonly ControllerDuty _duty;
    private readonly ServeOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RepositoryWatcher> _logger;

    public RepositoryWatcher(
        IModelRepository repository,
        IRegistryRestorer registry,
        IGrainFactory grains,
        IServingStates states,
        ControllerDuty duty,
        ServeOptions options,
        TimeProvider time,
        ILogger<RepositoryWatcher> logger)
    {
        _repository = repository;
        _registry = registry;
        _grains = grains;
        _states = states;
        _duty = duty;
        _options = options;
        _time = time;
        _logger = logger;
    }

    /// <summary>Looks for the first time, so that a repository that cannot be used ends the start.</summary>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        _repository.Scan();
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        var (snapshot, changes) = await ScanAsync(everything: true, adopt: false, cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(changes).WaitAsync(cancellationToken).ConfigureAwait(false);
        return [.. snapshot.Problems.Select(ClientText.Of)];
    }

    public override void Dispose()
    {
        _scanning.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    /// <remarks>
    /// In a cluster the controller's silo watches. Two that both do so for a moment do no harm: they hand over the same.
    /// </remarks>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await _duty.WaitAsync(stoppingToken).ConfigureAwait(false);
        Log.Leads(_logger);
        var (snapshot, changes) = await ScanAsync(everything: false, adopt: true, stoppingToken).ConfigureAwait(false);
        await Task.WhenAll(changes).WaitAsync(stoppingToken).ConfigureAwait(false);
        await _registry.RestoreAsync(stoppingToken).ConfigureAwait(false);
        _states.FinishInitialLoad();
        Log.Ready(_logger, snapshot.Models.Count);
        if (_options.PollSeconds == 0)
        {
            return;
        }

        var leads = true;
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(_options.PollSeconds), _time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var led = leads;
            leads = _duty.IsHere;
            if (leads)
            {
                await LookAsync(adopt: !led, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    private void AdoptKnown()
    {
        foreach (var known in _states.All.Where(state => state.Origin == RegistrationOrigin.Repository))
        {
            _handedOver.TryAdd(known.Name, new ModelRegistration { Name = known.Name, Versions = [] });
        }
    }

    /// <summary>One turn of the watching loop.</summary>
    private async Task LookAsync(bool adopt, CancellationToken stoppingToken)
    {
        try
        {
            await ScanAsync(everything: false, adopt, stoppingToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // A repository that cannot be looked at now must not end the process that serves what it has.
            Log.ScanFailed(_logger, exception);
        }
    }

    /// <param name="everything">Hands over also what has not changed.</param>
    /// <param name="adopt">Whether another silo may have watched before: models that went meanwhile are handed over as gone.</param>
    private async Task<(RepositorySnapshot Snapshot, IReadOnlyList<Task> Changes)> ScanAsync(bool everything, bool adopt, CancellationToken cancellationToken)
    {
        await _scanning.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (adopt)
            {
                AdoptKnown();
            }

            var snapshot = _repository.Scan();
            return (snapshot, HandOver(snapshot, everything));
        }
        finally
        {
            _scanning.Release();
        }
    }

    /// <summary>Starts the change of every model that is not as it was handed over last; of all with <paramref name="everything"/>.</summary>
    private List<Task> HandOver(RepositorySnapshot snapshot, bool everything)
    {
        var changes = new List<Task>();
        foreach (var (name, registration) in snapshot.Models)
        {
            if (everything || _refused.ContainsKey(name) || !ReferenceEquals(_handedOver.GetValueOrDefault(name), registration))
            {
                _handedOver[name] = registration;
                changes.Add(ApplyAsync(registration, retryFailed: everything));
            }
        }

        foreach (var gone in _handedOver.Keys.Where(name => !snapshot.Models.ContainsKey(name)).ToList())
        {
            _handedOver.Remove(gone);
            changes.Add(ApplyAsync(new ModelRegistration { Name = gone, Versions = [] }, retryFailed: false));
        }

        return changes;
    }

    /// <summary>Problems as the index and errors tell them; the repository has logged them as they are.</summary>
    private static ModelRegistration ForClients(ModelRegistration registration) =>
        registration.Problem is null && registration.Versions.All(static version => version.Problem is null)
            ? registration
            : registration with
            {
                Problem = registration.Problem is { } problem ? ClientText.Of(problem) : null,
                Versions = [.. registration.Versions.Select(static version => version.Problem is { } problem ? version with { Problem = ClientText.Of(problem) } : version)],
            };

    private async Task ApplyAsync(ModelRegistration registration, bool retryFailed)
    {
        try
        {
            await _grains.GetGrain<IModelGrain>(registration.Name).ApplyAsync(ForClients(registration), retryFailed, CancellationToken.None).ConfigureAwait(false);
            _refused.TryRemove(registration.Name, out _);
        }
        catch (ServingException exception) when (exception.Failure.Code == StatusCode.AlreadyExists)
        {
            if (_refused.TryAdd(registration.Name, true))
            {
                Log.NameTaken(_logger, exception.Message);
            }
        }
        catch (Exception exception)
        {
            // The edge of the watching loop: one model's trouble is logged and must not end the watching of the others.
            Log.ChangeFailed(_logger, exception, registration.Name);
        }
    }
}
