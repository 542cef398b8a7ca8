using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>
/// What becomes of a version's replicas: they arrive, serve, and end. Pure. Of each state that it makes holds:
/// <list type="bullet">
/// <item>a replica arrives or serves, never both, and its number was never another replica's;</item>
/// <item>replicas that serve are loaded, and of one content;</item>
/// <item>a version without a replica that serves is loaded by its next request.</item>
/// </list>
/// </summary>
internal static class ReplicaPlan
{
    /// <summary>Replicas that serve, by number.</summary>
    public static ImmutableArray<PlacedReplica> Serving(ModelGrainState state, long version) => state.Loaded.GetValueOrDefault(version)?.Replicas ?? [];

    /// <summary>Replicas that are being loaded.</summary>
    public static ImmutableArray<PlacedReplica> Arriving(ModelGrainState state, long version) => state.Arriving.GetValueOrDefault(version, []);

    /// <summary>Whether a version serves without being in memory.</summary>
    public static bool IsOnDemand(ModelGrainState state, long version) => state.Loaded.TryGetValue(version, out var loaded) && loaded.Replicas.IsEmpty;

    /// <summary>Silos that hold a replica of a version, loaded or on its way.</summary>
    public static IEnumerable<SiloAddress> Holders(ModelGrainState state, long version) =>
        Serving(state, version).Concat(Arriving(state, version)).Select(static replica => replica.Silo);

    /// <summary>
    /// The state of a grain that has lost its former state, such as with its storage. Numbers that others know of are not given out again.
    /// </summary>
    public static ModelGrainState Begin(ModelGrainState state, ModelServingState? published) => state with
    {
        NextReplica = (published?.Versions ?? [])
            .Where(version => version.Replicas.Length + version.Arriving.Length > 0)
            .ToImmutableSortedDictionary(
                version => version.Version, version => version.Replicas.Concat(version.Arriving).Max(static replica => replica.Number) + 1),
    };

    /// <summary>Gives out the number of a replica that is about to be loaded.</summary>
    public static (ModelGrainState State, PlacedReplica Replica) Arrive(ModelGrainState state, long version, SiloAddress silo)
    {
        var number = state.NextReplica.GetValueOrDefault(version);
        var replica = new PlacedReplica(number, silo);
        return (state with
        {
            NextReplica = state.NextReplica.SetItem(version, number + 1),
            Arriving = state.Arriving.SetItem(version, Arriving(state, version).Add(replica)),
        }, replica);
    }

    /// <summary>Replicas do not arrive after all.</summary>
    public static ModelGrainState GiveUp(ModelGrainState state, long version, IReadOnlyCollection<PlacedReplica> replicas) =>
        WithArriving(state, version, Arriving(state, version).RemoveAll(replicas.Contains));

    /// <summary>
    /// Has a version serve with <paramref name="by"/> in place of its former replicas. Those of its replicas that ended while others arrived do not serve.
    /// </summary>
    public static ModelGrainState Replace(ModelGrainState state, long version, LoadedVersion by) =>
        Settle(state, version, by with { Replicas = [.. by.Replicas.Where(Arriving(state, version).Contains).OrderBy(static replica => replica.Number)] })
            with { Failed = state.Failed.Remove(version), LostWith = by.Replicas.IsEmpty ? state.LostWith : state.LostWith.Remove(version) };

    /// <summary>Has replicas that arrived serve beside those that do, and takes out others in the same step.</summary>
    public static ModelGrainState Add(
        ModelGrainState state, long version, IReadOnlyCollection<PlacedReplica> replicas, IReadOnlyCollection<PlacedReplica> without)
    {
        var loaded = state.Loaded[version];
        var added = Arriving(state, version).Where(replicas.Contains).ToList();
        return added.Count == 0
            ? state
            : Settle(state, version, loaded with
            {
                Replicas = [.. loaded.Replicas.Where(replica => !without.Contains(replica)).Concat(added).OrderBy(static replica => replica.Number)],
            }) with { LostWith = state.LostWith.Remove(version) };
    }

    /// <summary>Takes a replica out of those that serve; without the last one the version is loaded by its next request.</summary>
    public static ModelGrainState Remove(ModelGrainState state, long version, PlacedReplica replica)
    {
        var loaded = state.Loaded[version];
        return Settle(state, version, loaded with { Replicas = loaded.Replicas.Remove(replica) });
    }

    /// <summary>A version does not serve any more.</summary>
    public static ModelGrainState End(ModelGrainState state, long version) => state with
    {
        Loaded = state.Loaded.Remove(version),
        Past = state.Past.Remove(version),
        Arriving = state.Arriving.Remove(version),
    };

    /// <summary>The state after something was loaded.</summary>
    public static ModelGrainState Describe(ModelGrainState state, long version, ModelDescription description) => state with
    {
        Past = state.Past.SetItem(version, new PastLoads(description, state.Past.GetValueOrDefault(version)?.Statistics)),
    };

    /// <summary>
    /// The state after a replica has ended by itself; the same if it is of no use. What a silo's cache took away is not brought back for the sake of a number:
    /// its memory was needed for others.
    /// </summary>
    /// <param name="statistics">What it did; null where that is not known.</param>
    public static ModelGrainState Ended(ModelGrainState state, long version, PlacedReplica replica, ReplicaStatistics? statistics)
    {
        if (statistics is not null && state.Loaded.ContainsKey(version))
        {
            var past = state.Past.GetValueOrDefault(version);
            var sum = past?.Statistics is { } before ? ReplicaStatistics.Sum(before, statistics) : statistics;
            state = state with { Past = state.Past.SetItem(version, new PastLoads(past?.Description, sum)) };
        }

        if (Arriving(state, version).Contains(replica))
        {
            return GiveUp(state, version, [replica]);
        }

        if (!Serving(state, version).Contains(replica))
        {
            return state;
        }

        var loaded = state.Loaded[version];
        var left = loaded.Replicas.Remove(replica);
        return Settle(state, version, loaded with { Replicas = left, Target = Math.Max(1, Math.Min(loaded.Target, left.Length)) });
    }

    /// <summary>Forgets the replicas that silos held.</summary>
    public static ModelGrainState Lose(ModelGrainState state, ImmutableArray<SiloAddress> silos)
    {
        foreach (var (version, arriving) in state.Arriving)
        {
            state = GiveUp(state, version, [.. arriving.Where(replica => silos.Contains(replica.Silo))]);
        }

        foreach (var (version, loaded) in state.Loaded)
        {
            var left = loaded.Replicas.RemoveAll(replica => silos.Contains(replica.Silo));
            state = left.Length == loaded.Replicas.Length ? state : Settle(state, version, loaded with { Replicas = left });
        }

        return state;
    }

    /// <summary>Sets what serves; it arrives no more.</summary>
    private static ModelGrainState Settle(ModelGrainState state, long version, LoadedVersion loaded)
    {
        var next = WithArriving(state, version, Arriving(state, version).RemoveAll(loaded.Replicas.Contains));
        return next with { Loaded = next.Loaded.SetItem(version, loaded) };
    }

    private static ModelGrainState WithArriving(ModelGrainState state, long version, ImmutableArray<PlacedReplica> arriving)
    {
        if (arriving.Length == Arriving(state, version).Length)
        {
            return state;
        }

        return state with { Arriving = arriving.IsEmpty ? state.Arriving.Remove(version) : state.Arriving.SetItem(version, arriving) };
    }
}
