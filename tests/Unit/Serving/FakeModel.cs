using System.Collections.Concurrent;
using Cluster.Contracts.Models;

namespace Cluster.Unit.Serving;

/// <summary>A model's grain that keeps what it was asked for.</summary>
internal sealed class FakeModel : IModelGrain
{
    private readonly Lock _lock = new();
    private readonly List<(ModelRegistration Registration, bool RetryFailed)> _applied = [];
    private readonly List<string> _calls = [];

    public IReadOnlyList<(ModelRegistration Registration, bool RetryFailed)> Applied
    {
        get
        {
            lock (_lock)
            {
                return [.. _applied];
            }
        }
    }

    public IReadOnlyList<string> Calls => _calls;

    /// <summary>Reports of load that came.</summary>
    public ConcurrentQueue<UtilizationReport> Loads { get; } = new();

    /// <summary>Silos that it was told of.</summary>
    public ConcurrentQueue<string> Silos { get; } = new();

    /// <summary>What each application, and each leaving of a silo, awaits.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _applied.Add((registration, retryFailed));
        }

        await Gate;
    }

    public ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        _calls.Add("load");
        return default;
    }

    public ValueTask ScaleAsync(ReplicaBounds? bounds, CancellationToken cancellationToken)
    {
        _calls.Add($"scale {bounds}");
        return default;
    }

    public ValueTask WakeAsync(CancellationToken cancellationToken)
    {
        _calls.Add("wake");
        return default;
    }

    public ValueTask UnloadAsync(CancellationToken cancellationToken)
    {
        _calls.Add("unload");
        return default;
    }

    /// <summary>What a load of a version, which may miss a replica, does.</summary>
    public Func<long, ModelReplicaId?, Task> Ensure { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What is known of its versions.</summary>
    public UnloadedReplica Unloaded { get; set; } = new(null, null);

    public async ValueTask EnsureLoadedAsync(long version, ModelReplicaId? missing, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _calls.Add("ensure");
        }

        await Ensure(version, missing);
    }

    public ValueTask ReplicaEndedAsync(ReplicaEnd end) => throw new NotSupportedException("no replica ends here");

    public ValueTask DownloadProgressAsync(ModelReplicaId replica, int percent) => throw new NotSupportedException();

    public ValueTask ReportLoadAsync(UtilizationReport load)
    {
        Loads.Enqueue(load);
        return default;
    }

    public async ValueTask LeaveSiloAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        Silos.Enqueue($"leave {silo}");
        await Gate;
    }

    /// <summary>What it was accused of, by version.</summary>
    public ConcurrentQueue<(long Version, System.Collections.Immutable.ImmutableArray<SiloAddress> Silos)> Accusations { get; } = new();

    public ValueTask AccuseAsync(long version, System.Collections.Immutable.ImmutableArray<SiloAddress> silos)
    {
        Accusations.Enqueue((version, silos));
        return default;
    }

    public ValueTask SilosLostAsync(System.Collections.Immutable.ImmutableArray<SiloAddress> silos)
    {
        Silos.Enqueue($"lost {string.Join(',', silos)}");
        return default;
    }

    public ValueTask<UnloadedReplica> GetUnloadedAsync(long version) => ValueTask.FromResult(Unloaded);
}
