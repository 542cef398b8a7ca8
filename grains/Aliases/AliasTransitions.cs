using System.Collections.Concurrent;
using System.Threading.Channels;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Cluster.Grains.Cluster;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Aliases;

/// <summary>
/// Tells aliases that wait for their next model, or for a candidate, when something about that model changes. So one that did not load is taken as soon as that is put right.
/// Looks after all of them now and then: an alias whose silo was lost goes on with its move when it is called. The controller's silo does it for all.
/// Serving states are published in a model's own turn, which must not wait for aliases: hence the queue.
/// </summary>
internal sealed class AliasTransitions : BackgroundService
{
    /// <summary>How long an alias may wait for the next step of its move.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, string> _targets = new(StringComparer.Ordinal);
    private readonly Channel<(string Alias, string Target)> _reviews = Channel.CreateUnbounded<(string, string)>(new() { SingleReader = true });
    private readonly IAliases _aliases;
    private readonly IServingStates _states;
    private readonly IGrainFactory _grains;
    private readonly ControllerDuty _duty;
    private readonly TimeProvider _time;
    private readonly ILogger<AliasTransitions> _logger;

    public AliasTransitions(IAliases aliases, IServingStates states, IGrainFactory grains, ControllerDuty duty, TimeProvider time, ILogger<AliasTransitions> logger)
    {
        _time = time;
        _aliases = aliases;
        _states = states;
        _grains = grains;
        _duty = duty;
        _logger = logger;
        aliases.Changed += Follow;
        states.Changed += Notice;
        foreach (var alias in aliases.All)
        {
            Follow(alias.Alias);
        }
    }

    public override void Dispose()
    {
        _aliases.Changed -= Follow;
        _states.Changed -= Notice;
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await using var looks = _time.CreateTimer(static self => ((AliasTransitions)self!).Look(), this, LookInterval, LookInterval);
        await foreach (var (alias, target) in _reviews.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await _grains.GetGrain<IAliasGrain>(alias).ReviewAsync(target, failure: null).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is SiloUnavailableException or ServingException { Failure.Code: StatusCode.Unavailable })
            {
                Log.ReviewWaits(_logger, alias, exception.Message);
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // The edge of the loop: one alias's trouble must not keep the others from moving.
                Log.ReviewFailed(_logger, exception, alias, target);
            }
        }
    }

    private void Look()
    {
        if (!_duty.IsHere)
        {
            return;
        }

        foreach (var (alias, target) in _targets)
        {
            _reviews.Writer.TryWrite((alias, target));
        }
    }

    private void Follow(string alias)
    {
        if (_aliases.TryGet(alias, out var state) && state.Awaited is { } awaited)
        {
            _targets[alias] = awaited;
        }
        else
        {
            _targets.TryRemove(alias, out _);
        }
    }

    /// <summary>A change of the active model counts too: without replicas it is left at once.</summary>
    private void Notice(string model)
    {
        if (!_duty.IsHere)
        {
            return;
        }

        foreach (var (alias, target) in _targets)
        {
            if (target == model || (_aliases.TryGet(alias, out var state) && state.Active == model))
            {
                _reviews.Writer.TryWrite((alias, target));
            }
        }
    }
}

/// <summary>Event ids 2180 to 2187; 2210 to 2219 are those of traffic rules.</summary>
internal static partial class Log
{
    [LoggerMessage(2180, LogLevel.Information, "Began to move alias {Alias} from {Active} to {Target}")]
    public static partial void Moves(ILogger logger, string alias, string active, string target);

    [LoggerMessage(2181, LogLevel.Information, "Set alias {Alias} to {Active}")]
    public static partial void Moved(ILogger logger, string alias, string active);

    [LoggerMessage(2182, LogLevel.Warning, "Could not move alias {Alias} to {Target}, and {Active} serves on: {Reason}")]
    public static partial void TargetFailed(ILogger logger, string alias, string target, string reason, string active);

    [LoggerMessage(2183, LogLevel.Information, "Deleted alias {Alias}")]
    public static partial void Deleted(ILogger logger, string alias);

    [LoggerMessage(2184, LogLevel.Error, "Alias {Alias} was not told that {Model} has changed")]
    public static partial void ReviewFailed(ILogger logger, Exception exception, string alias, string model);

    [LoggerMessage(2185, LogLevel.Debug, "Left alias {Alias} to the next look: {Reason}")]
    public static partial void ReviewWaits(ILogger logger, string alias, string reason);

    [LoggerMessage(2186, LogLevel.Error, "Alias {Alias} could not have {Target} loaded")]
    public static partial void LoadFailed(ILogger logger, Exception exception, string alias, string target);

    [LoggerMessage(2187, LogLevel.Warning, "Alias {Alias} could not keep the end of the load of {Target}, and tries again: {Reason}")]
    public static partial void NotReviewed(ILogger logger, string alias, string target, string reason);

    [LoggerMessage(2210, LogLevel.Information, "Set a rule of alias {Alias}, and began to load its candidate {Candidate}")]
    public static partial void CandidateAwaited(ILogger logger, string alias, string candidate);

    [LoggerMessage(2211, LogLevel.Information, "Alias {Alias}: {Percent} % of its requests are {Way} candidate {Candidate}")]
    public static partial void TrafficBegun(ILogger logger, string alias, double percent, string way, string candidate);

    [LoggerMessage(2212, LogLevel.Warning, "Sent candidate {Candidate} of alias {Alias} no requests, as it did not load: {Reason}")]
    public static partial void CandidateFailed(ILogger logger, string alias, string candidate, string reason);

    [LoggerMessage(2213, LogLevel.Warning, "Alias {Alias} rolled candidate {Candidate} back, by gateway {Gateway}: {Reason}")]
    public static partial void TrafficRolledBack(ILogger logger, string alias, string candidate, string gateway, string reason);

    [LoggerMessage(2214, LogLevel.Information, "Ended the rule of alias {Alias} for candidate {Candidate}")]
    public static partial void TrafficEnded(ILogger logger, string alias, string candidate);
}
