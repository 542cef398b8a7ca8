using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Cluster.Contracts.Errors;
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
/// <list type="number">
/// <item>In a cluster the controller's silo watches. Two that both do so for a moment do no harm: they hand over the same.</item>
/// <item>What others serve changes only as <see cref="RepositoryVote"/> says: a folder may be empty or stale on one silo alone.</item>
/// <item>A silo that is outvoted leaves the watching to another. It is not ready until its repository agrees with what the controller handed over, as is one that has
/// just started.</item>
/// </list>
/// </summary>
internal sealed class RepositoryWatcher : BackgroundService, IRepositoryWatch
{
    /// <summary>How often what could not be handed over is tried again where nothing else is looked at.</summary>
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);

    /// <summary>How soon a repository that has not been compared, or disagrees, is looked at again where it is not watched.</summary>
    private static readonly TimeSpan CompareInterval = TimeSpan.FromMilliseconds(250);

    /// <summary>When a change that was not handed over is worth another try.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _scanning = new(1);
    private readonly RepositoryHandOver _handOver;
    private readonly IModelRepository _repository;
    private readonly RepositoryStanding _standing;
    private readonly IRepositoryAgreement _agreement;
    private readonly RepositoryComparison _comparison;
    private readonly IRegistryRestorer _registry;
    private readonly IServingStates _states;
    private readonly ControllerDuty _duty;
    private readonly ServeOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RepositoryWatcher> _logger;
    private string _heldBack = "";

    public RepositoryWatcher(
        IModelRepository repository,
        RepositoryStanding standing,
        IRepositoryAgreement agreement,
        RepositoryComparison comparison,
        IRegistryRestorer registry,
        IGrainFactory grains,
        IServingStates states,
        ControllerDuty duty,
        ServeOptions options,
        TimeProvider time,
        ILogger<RepositoryWatcher> logger)
    {
        _repository = repository;
        _standing = standing;
        _agreement = agreement;
        _comparison = comparison;
        _registry = registry;
        _states = states;
        _duty = duty;
        _options = options;
        _time = time;
        _logger = logger;
        _handOver = new RepositoryHandOver(grains, states, standing, logger);
    }

    /// <summary>Looks for the first time, so that a repository that cannot be used ends the start.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await _repository.RefreshAsync(null, cancellationToken).ConfigureAwait(false);
        _repository.Scan();
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<string>> ReloadAsync(CancellationToken cancellationToken)
    {
        var look = await LookAsync(new Look(Everything: true, Asked: true), cancellationToken).ConfigureAwait(false);
        await Task.WhenAll(look.Changes).WaitAsync(cancellationToken).ConfigureAwait(false);
        var problems = look.Snapshot.Problems.Select(ClientText.Of).Concat(_handOver.Failed.Order(StringComparer.Ordinal).Select(NotHandedOverText));
        return look.HeldBack.IsEmpty ? [.. problems] : [.. problems, HeldBackText(look.HeldBack)];
    }

    /// <inheritdoc/>
    public async Task<bool> ReadAsync(string model, CancellationToken cancellationToken)
    {
        var look = await LookAsync(new Look(Only: model, Asked: true), cancellationToken).ConfigureAwait(false);
        if (!look.HeldBack.IsEmpty)
        {
            throw new ServingException(new Failure(StatusCode.FailedPrecondition, HeldBackText(look.HeldBack)));
        }

        await Task.WhenAll(look.Changes).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (_handOver.FailureOf(model) is { } failure)
        {
            // The caller may ask again, and must not mistake the serving content for the read one.
            if (failure is SiloUnavailableException or ServingException)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            throw new ServingException(Failure.Unavailable(NotHandedOverText(model), RetryAfter), failure);
        }

        return look.Snapshot.Models.ContainsKey(model);
    }

    public override void Dispose()
    {
        _scanning.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await StandByAsync(stoppingToken).ConfigureAwait(false);
        Log.Leads(_logger);
        var look = await LookFirstAsync(stoppingToken).ConfigureAwait(false);
        await Task.WhenAll(look.Changes).WaitAsync(stoppingToken).ConfigureAwait(false);
        await _registry.RestoreAsync(stoppingToken).ConfigureAwait(false);
        _states.FinishInitialLoad();
        Log.Ready(_logger, look.Snapshot.Models.Count);
        var leads = true;
        using var timer = new PeriodicTimer(UntilNextLook, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var led = leads;
            leads = _duty.IsHere;
            if (leads || IsWatched)
            {
                await TryAsync(() => leads ? LookAgainAsync(adopt: !led, stoppingToken) : _comparison.CompareAsync(stoppingToken), stoppingToken).ConfigureAwait(false);
            }

            if (timer.Period != UntilNextLook)
            {
                timer.Period = UntilNextLook;
            }
        }
    }

    /// <summary>False where changes are noticed on request alone, once the silos agree.</summary>
    private bool IsWatched => _options.PollSeconds > 0 || !_standing.Agrees;

    private TimeSpan UntilNextLook => _options.PollSeconds > 0 ? TimeSpan.FromSeconds(_options.PollSeconds) : IsWatched ? CompareInterval : RetryInterval;

    /// <summary>Where changes are noticed on request alone, only what could not be handed over is looked at by itself.</summary>
    private async Task LookAgainAsync(bool adopt, CancellationToken cancellationToken)
    {
        if (IsWatched || adopt)
        {
            await LookAsync(new Look(Adopt: adopt), cancellationToken).ConfigureAwait(false);
            return;
        }

        foreach (var model in _handOver.Failed)
        {
            await LookAsync(new Look(Only: model), cancellationToken).ConfigureAwait(false);
        }
    }

    private static string NotHandedOverText(string model) => $"what was read of model '{model}' could not be handed over; it is tried again";

    private static string HeldBackText(ImmutableArray<string> models) =>
        $"the silos' repositories hold different content of {RepositoryComparison.Some(models)}; it stays as it is until they agree";

    /// <summary>Until the controller is here, sees to it that this silo's repository agrees with what the controller's handed over.</summary>
    private async Task StandByAsync(CancellationToken cancellationToken)
    {
        var duty = _duty.WaitAsync(cancellationToken);
        while (!duty.IsCompleted && !_standing.Agrees)
        {
            await TryAsync(() => _comparison.CompareAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            await duty.WaitAsync(CompareInterval, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await duty.ConfigureAwait(false);
    }

    /// <summary>The first look after the controller came here, again until it succeeds: the silo that had it before may be on its way out still.</summary>
    private async Task<Found> LookFirstAsync(CancellationToken stoppingToken)
    {
        Found? found = null;
        while (true)
        {
            await TryAsync(async () => found = await LookAsync(new Look(Adopt: true), stoppingToken).ConfigureAwait(false), stoppingToken).ConfigureAwait(false);
            if (found is not null)
            {
                return found;
            }

            await Task.Delay(CompareInterval, _time, stoppingToken).ConfigureAwait(false);
        }
    }

    private async Task TryAsync(Func<Task> look, CancellationToken stoppingToken)
    {
        try
        {
            await look().ConfigureAwait(false);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // A repository that cannot be looked at now must not end the process that serves what it has.
            Log.ScanFailed(_logger, exception);
        }
    }

    private async Task<Found> LookAsync(Look look, CancellationToken cancellationToken)
    {
        await _scanning.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (look.Adopt)
            {
                _handOver.AdoptKnown();
            }

            await _repository.RefreshAsync(look.Only, cancellationToken).ConfigureAwait(false);
            var snapshot = Scan(look.Only);
            var changed = _handOver.Changed(snapshot, look.Only, look.Everything);
            var heldBack = await VoteAsync(snapshot, changed, look, cancellationToken).ConfigureAwait(false);
            var changes = _handOver.Begin(snapshot, changed.Except(heldBack, StringComparer.Ordinal), retryFailed: look.Everything);
            return new Found(snapshot, changes, heldBack);
        }
        finally
        {
            _scanning.Release();
        }
    }

    private RepositorySnapshot Scan(string? only)
    {
        if (only is null)
        {
            return _repository.Scan();
        }

        // Twice: what still changes while it is read is reported by a look that finds it at rest.
        _repository.Scan(only);
        return _repository.Scan(only);
    }

    /// <summary>Asks the other silos about changes of what is served, and learns whether this silo's repository is the wrong one.</summary>
    /// <returns>What is not to be handed over now.</returns>
    private async Task<ImmutableArray<string>> VoteAsync(RepositorySnapshot snapshot, List<string> changed, Look look, CancellationToken cancellationToken)
    {
        var known = _handOver.Models;

        // That new content is served, an operator may decide; that nothing is served any more, only the silos together.
        ImmutableArray<string> asked =
        [
            .. changed.Where(name => known.ContainsKey(name)
                && !ReferenceEquals(known[name], snapshot.Models.GetValueOrDefault(name))
                && (!look.Asked || !snapshot.Models.ContainsKey(name))),
        ];
        RepositoryVote vote;
        string? problem = null;
        if (!_agreement.IsAlone && !asked.IsEmpty)
        {
            vote = await _agreement.AskAsync(asked, snapshot, cancellationToken).ConfigureAwait(false);
            problem = vote.Outvoted.IsEmpty ? null : $"most silos hold other content of {RepositoryComparison.Some(vote.Outvoted)}";
        }
        else if (!asked.IsEmpty && asked.Length == known.Count && asked.All(name => known[name].IsRemoval && !snapshot.Models.ContainsKey(name)))
        {
            // Alone, and its folder has nothing of what the cluster served when there were others.
            vote = new RepositoryVote([], asked, asked);
            problem = $"it holds none of the {asked.Length} models that the cluster served, such as {RepositoryComparison.Some(asked)}";
        }
        else
        {
            vote = new RepositoryVote(asked, [], []);
        }

        if (look.Only is null)
        {
            Tell(vote.HeldBack);
            _comparison.Judge(problem);
            if (problem is not null && !_agreement.IsAlone)
            {
                await _agreement.LeaveAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        return vote.HeldBack;
    }

    private void Tell(ImmutableArray<string> heldBack)
    {
        var text = heldBack.IsEmpty ? "" : RepositoryComparison.Some(heldBack);
        if (text.Length > 0 && text != _heldBack)
        {
            Log.HeldBack(_logger, text);
        }

        _heldBack = text;
    }

    /// <param name="Only">The one model to look at; null for all.</param>
    /// <param name="Everything">Also hands over unchanged models.</param>
    /// <param name="Adopt">Whether another silo may have watched before.</param>
    /// <param name="Asked">Whether an operator asked for it.</param>
    private sealed record Look(string? Only = null, bool Everything = false, bool Adopt = false, bool Asked = false);

    /// <param name="Changes">One for each change that was begun.</param>
    /// <param name="HeldBack">Models on which the silos disagree.</param>
    private sealed record Found(RepositorySnapshot Snapshot, List<Task> Changes, ImmutableArray<string> HeldBack);
}
