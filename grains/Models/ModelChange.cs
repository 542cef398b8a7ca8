using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Brings a model from what serves to what should, step by step. Used in the turns of the model's grain alone, one change at a time.</summary>
internal sealed class ModelChange(string model, ModelServices services, ModelKeeper keeper, ReplicaWork work, ScalingDesk scaling, ILogger logger)
{
    private readonly HashSet<long> _reload = [];
    private ImmutableSortedDictionary<long, ImmutableArray<PlacedReplica>> _leftovers = keeper.State.Arriving;

    private ModelGrainState State => keeper.State;

    /// <summary>Versions to load again with the next change, though no request waits for them.</summary>
    public void Reload(IEnumerable<long> versions) => _reload.UnionWith(versions);

    /// <summary>Loads what should serve, then ends what should not: nothing ends before its successor is ready. Then mends the number of replicas.</summary>
    /// <returns>When to try again what found no room, or null.</returns>
    public async Task<TimeSpan?> CarryOutAsync()
    {
        services.Registrations.Publish(State.Registration!);
        await EndLeftoversAsync();
        keeper.Note(FailurePlan.Forget(State, services.Time.GetUtcNow(), services.CacheOptions.FailureMemory, services.ReplicaOptions));
        var retry = await LoadAsync();
        foreach (var (version, loaded) in ModelPlan.ToUnload(State).ToList())
        {
            await keeper.KeepAsync(ReplicaPlan.End(State, version));
            keeper.Tell();
            await work.EndAsync(version, loaded.Replicas);
        }

        await MendAsync();
        keeper.Tell();
        return retry;
    }

    /// <summary>Whether a version serves with other content, other settings or fewer replicas than it should.</summary>
    public bool IsDue(long version) =>
        State.Registration?.Versions.FirstOrDefault(candidate => candidate.Version == version) is { } source
        && State.Loaded.ContainsKey(version)
        && (!ModelPlan.IsCurrent(State, version) || IsShort(source));

    private bool IsShort(ModelVersionSource source) =>
        ReplicaPlan.Serving(State, source.Version) is { IsEmpty: false } have
        && have.Length < ModelPlan.WantedReplicas(State, source.Version, work.Eligible(source));

    private async Task<TimeSpan?> LoadAsync()
    {
        TimeSpan? retry = null;
        var postponed = new HashSet<long>();
        while (ModelPlan.NextLoad(State, postponed) is { } source)
        {
            var refusal = await work.LoadContentAsync(source);
            if (refusal is not null || ModelPlan.NextLoad(State, postponed) == source)
            {
                // No room, or given up: what comes next wants something else.
                postponed.Add(source.Version);
            }

            if (refusal is var (wait, reason))
            {
                retry = retry < wait ? retry : wait;
                Log.ReplacementWaits(logger, model, source.Version, wait.TotalSeconds, reason);
            }
        }

        return retry;
    }

    /// <summary>Replicas that were being loaded when the grain was lost: nothing waits for them.</summary>
    private async Task EndLeftoversAsync()
    {
        var leftovers = _leftovers;
        _leftovers = _leftovers.Clear();
        foreach (var (version, replicas) in leftovers)
        {
            await keeper.KeepAsync(ReplicaPlan.GiveUp(State, version, replicas));
            keeper.Tell();
            await work.EndAsync(version, replicas);
        }
    }

    private async Task MendAsync()
    {
        foreach (var version in _reload.ToList())
        {
            _reload.Remove(version);
            await work.ReloadAsync(version);
        }

        foreach (var version in State.Loaded.Keys)
        {
            await work.AdjustAsync(version, scaling.Decided(version));
        }
    }
}
