using System.Collections.Immutable;
using Cluster.Contracts.Nodes;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.Console;

/// <summary>
/// Makes the events of <see cref="Timeline"/>, from what this gateway hears anyway. That is the serving states with their causes, the rules of aliases, the membership and what the silos publish. What
/// was so before the gateway started is no event. Requests pay nothing for it.
/// </summary>
internal sealed class TimelineWatch : BackgroundService
{
    /// <summary>What silos publish comes without a word, such as that one drains.</summary>
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    /// <summary>What takes longer is a load by its next request, not a failover.</summary>
    private static readonly TimeSpan MaxFailover = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, ModelServingState> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Model, long Version), long> _lost = [];
    private readonly Dictionary<string, long> _silosLost = new(StringComparer.Ordinal);
    private readonly Timeline _timeline;
    private readonly Dictionary<string, TrafficState> _traffic = new(StringComparer.Ordinal);
    private readonly IServingStates _states;
    private readonly IAliases _aliases;
    private readonly ISiloHealth _health;
    private readonly IKnownSilos _silos;
    private readonly TimeProvider _time;
    private ImmutableArray<NodeDescription> _known = [];
    private bool _storeReachable;

    public TimelineWatch(Timeline timeline, IServingStates states, IAliases aliases, ISiloHealth health, IKnownSilos silos, TimeProvider time)
    {
        _aliases = aliases;
        _timeline = timeline;
        _states = states;
        _health = health;
        _silos = silos;
        _time = time;
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _states.Changed += OnModel;
            _aliases.Changed += OnAlias;
            _health.Changed += LookAtSilos;
            _storeReachable = _health.IsStoreReachable;
            _known = _silos.All;
            foreach (var state in _states.All)
            {
                _models[state.Name] = state;
            }

            foreach (var alias in _aliases.All.Where(static alias => alias.Traffic is not null))
            {
                _traffic[alias.Alias] = alias.Traffic!;
            }
        }

        return base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _states.Changed -= OnModel;
        _aliases.Changed -= OnAlias;
        _health.Changed -= LookAtSilos;
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookInterval, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            LookAtSilos();
        }
    }

    private void LookAtSilos()
    {
        lock (_lock)
        {
            var now = _silos.All;
            foreach (var happened in SiloEvents.Between(_known, now))
            {
                if (happened.Kind is EventKinds.SiloDied or EventKinds.SiloLeft)
                {
                    _silosLost.TryAdd(happened.Silo!, _time.GetTimestamp());
                }

                _timeline.Add(happened);
            }

            _known = now;
            foreach (var forgotten in _silosLost.Keys.Where(silo => !now.Any(node => node.Silo == silo)).ToList())
            {
                _silosLost.Remove(forgotten);
            }

            var reachable = _health.IsStoreReachable;
            if (reachable != _storeReachable)
            {
                _storeReachable = reachable;
                _timeline.Add(reachable
                    ? new ClusterEvent(EventKinds.StoreBack, "Redis answers again")
                    : new ClusterEvent(EventKinds.StoreAway, "Redis does not answer: what is loaded serves on, and nothing is loaded"));
            }
        }
    }

    /// <summary>Reads the state itself, so that of two changes at once the later reader sees the latest.</summary>
    private void OnModel(string name)
    {
        lock (_lock)
        {
            var now = _states.TryGet(name, out var state) ? state : null;
            var events = ModelEvents.Between(_models.GetValueOrDefault(name), now).ToList();
            if (events.Exists(static happened => happened.Kind == EventKinds.Lost))
            {
                // The silo's death comes first, though the model's state was heard of before the membership.
                LookAtSilos();
            }

            foreach (var happened in events)
            {
                _timeline.Add(happened);
                if (happened.Kind == EventKinds.Lost)
                {
                    _lost.TryAdd((name, happened.Version!.Value), _silosLost.GetValueOrDefault(happened.Silo!, _time.GetTimestamp()));
                }
            }

            foreach (var key in _lost.Keys.Where(key => key.Model == name).ToList())
            {
                Recover(key, now?.Versions.FirstOrDefault(version => version.Version == key.Version));
            }

            if (now is null)
            {
                _models.Remove(name);
            }
            else
            {
                _models[name] = now;
            }
        }
    }

    private void OnAlias(string name)
    {
        lock (_lock)
        {
            var now = _aliases.TryGet(name, out var alias) ? alias.Traffic : null;
            if (AliasEvents.Between(name, _traffic.GetValueOrDefault(name), now) is { } happened)
            {
                _timeline.Add(happened);
            }

            if (now is null)
            {
                _traffic.Remove(name);
            }
            else
            {
                _traffic[name] = now;
            }
        }
    }

    /// <summary>Says how long a version that lost a replica was without one that answers; nothing where it is not to have one any more.</summary>
    private void Recover((string Model, long Version) key, VersionServingState? version)
    {
        var time = _time.GetElapsedTime(_lost[key]);
        if (time > MaxFailover || version is null or { State: ModelVersionState.Unavailable })
        {
            _lost.Remove(key);
        }
        else if (version is { State: ModelVersionState.Ready, Replicas.Length: > 0 })
        {
            _lost.Remove(key);
            var milliseconds = (long)time.TotalMilliseconds;
            _timeline.Add(new ClusterEvent(EventKinds.FailedOver, $"failed over in {milliseconds} ms: {version.Replicas.Length} {(version.Replicas.Length == 1 ? "replica answers" : "replicas answer")}")
            {
                Model = key.Model,
                Version = key.Version,
                Silo = version.Replicas[^1].Silo.ToParsableString(),
                Milliseconds = milliseconds,
            });
        }
    }
}
