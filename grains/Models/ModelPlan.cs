using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>What follows from a model's state: what to load next, what to end, what to tell the gateways. Pure.</summary>
internal static class ModelPlan
{
    /// <summary>
    /// The versions that should serve, highest first: the policy's choice among those that have not failed, so that an older version
    /// serves where the newest is broken.
    /// </summary>
    public static ImmutableArray<long> Desired(ModelGrainState state)
    {
        if (state.Registration is not { } registration || state.Unloaded || state.NotYetUsed)
        {
            return [];
        }

        // Without readable settings nobody knows what is wanted: what serves goes on, unless it is gone from the repository.
        if (registration.Problem is not null)
        {
            return [.. registration.Versions.Select(source => source.Version).Where(state.Loaded.ContainsKey).OrderDescending()];
        }

        return registration.VersionPolicy.Select(registration.Versions
            .Where(source => state.Loaded.ContainsKey(source.Version) || FailureOf(state, source) is null)
            .Select(source => source.Version));
    }

    /// <summary>The next version to load, and the copy to load it as, or null when there is nothing to load.</summary>
    /// <param name="postponed">Versions to leave out.</param>
    public static (ModelVersionSource Source, int Copy)? NextLoad(ModelGrainState state, IReadOnlySet<long>? postponed = null)
    {
        if (state.Registration is not { Problem: null } registration)
        {
            return null;
        }

        foreach (var version in Desired(state))
        {
            var source = registration.Versions.First(candidate => candidate.Version == version);
            var loaded = state.Loaded.GetValueOrDefault(version);
            if (!IsCurrent(registration, source, loaded) && FailureOf(state, source) is null && postponed?.Contains(version) != true)
            {
                return (source, loaded is { Copy: 0 } ? 1 : 0);
            }
        }

        return null;
    }

    /// <summary>Versions that serve and should not any more.</summary>
    public static IEnumerable<KeyValuePair<long, LoadedCopy>> ToUnload(ModelGrainState state)
    {
        var desired = Desired(state);
        return state.Loaded.Where(loaded => !desired.Contains(loaded.Key));
    }

    /// <summary>
    /// The highest version that the policy chose and that does not load, or null: whether or not an older version, or its own previous
    /// content, serves in its place. Versions that nobody chose may be broken.
    /// </summary>
    public static (long Version, string Reason)? ChosenButFailed(ModelGrainState state)
    {
        if (state.Registration is not { Problem: null } registration || state.Unloaded)
        {
            return null;
        }

        foreach (var version in registration.VersionPolicy.Select(registration.Versions.Select(source => source.Version)))
        {
            if (FailureOf(state, registration.Versions.First(source => source.Version == version)) is { } reason)
            {
                return (version, reason);
            }
        }

        return null;
    }

    /// <summary>Whether a version serves without being in memory.</summary>
    public static bool IsOnDemand(ModelGrainState state, long version) =>
        state.Loaded.TryGetValue(version, out var loaded)
        && state.Presence.TryGetValue(version, out var presence)
        && presence.Copy == loaded.Copy
        && !presence.InMemory;

    /// <summary>The state after a copy told of itself; the same if it is of no use.</summary>
    public static ModelGrainState Take(ModelGrainState state, CopyReport report)
    {
        var version = report.Copy.Version;
        var known = state.Presence.GetValueOrDefault(version);
        if (known is not null && (report.Epoch < known.Epoch || (report.Epoch == known.Epoch && (report.InMemory || !known.InMemory))))
        {
            return state;
        }

        var serves = state.Loaded.GetValueOrDefault(version);
        if (!report.InMemory && serves?.Copy != report.Copy.Copy)
        {
            return known?.Copy == report.Copy.Copy ? state with { Presence = state.Presence.Remove(version) } : state;
        }

        var past = known?.Copy == report.Copy.Copy ? known.Past : null;
        if (report.Statistics is { } statistics)
        {
            past = past is null ? statistics : CopyStatistics.Sum(past, statistics);
        }

        var presence = new CopyPresence(report.Copy.Copy, report.Epoch, report.InMemory, report.Description, past);
        var loaded = serves?.Copy == report.Copy.Copy && report.InMemory
            ? state.Loaded.SetItem(version, serves with { Revision = report.Revision, SettingsRevision = report.SettingsRevision })
            : state.Loaded;
        return state with { Presence = state.Presence.SetItem(version, presence), Loaded = loaded };
    }

    /// <summary>What gateways are told.</summary>
    /// <param name="loading">The version and copy being loaded now, if any.</param>
    public static ModelServingState Describe(string name, ModelGrainState state, (long Version, int Copy)? loading)
    {
        var sources = state.Registration?.Versions ?? [];
        var versions = sources.Select(source => source.Version)
            .Union(state.Loaded.Keys)
            .OrderDescending()
            .Select(version => Describe(version, sources.FirstOrDefault(source => source.Version == version), state, loading));
        return new ModelServingState(name, [.. versions], state.Registration?.Problem) { Origin = state.Registration?.Origin ?? default };
    }

    private static VersionServingState Describe(
        long version, ModelVersionSource? source, ModelGrainState state, (long Version, int Copy)? loading)
    {
        var failure = source is null ? null : FailureOf(state, source);
        int? loadingCopy = loading is { } now && now.Version == version ? now.Copy : null;
        if (state.Loaded.TryGetValue(version, out var loaded))
        {
            return new VersionServingState
            {
                Version = version,
                State = ModelVersionState.Ready,
                Copies = [loaded.Copy],
                Replacement = loadingCopy,
                OnDemand = IsOnDemand(state, version),
                Reason = failure is null ? IsOnDemand(state, version) ? ServingReasons.OnDemand : "" : $"serves its previous content, the new one does not load: {failure}",
            };
        }

        return loadingCopy is { } copy
            ? new VersionServingState { Version = version, State = ModelVersionState.Loading, Copies = [copy] }
            : new VersionServingState
            {
                Version = version,
                State = ModelVersionState.Unavailable,
                Failed = !state.Unloaded && failure is not null,
                Reason = state.Unloaded ? ServingReasons.Unloaded : failure ?? NotWanted(state),
            };
    }

    private static string NotWanted(ModelGrainState state) => state switch
    {
        { Registration.Problem: not null } => "",
        { NotYetUsed: true } => ServingReasons.NotYetUsed,
        _ => ServingReasons.NotChosen,
    };

    private static bool IsCurrent(ModelRegistration registration, ModelVersionSource source, LoadedCopy? loaded) =>
        loaded is not null && loaded.Revision == source.Revision && loaded.SettingsRevision == registration.SettingsRevision;

    /// <summary>Why this very content does not load, or null.</summary>
    private static string? FailureOf(ModelGrainState state, ModelVersionSource source)
    {
        if (source.Problem is not null)
        {
            return source.Problem;
        }

        return state.Failed.TryGetValue(source.Version, out var failed)
            && failed.Revision == source.Revision
            && failed.SettingsRevision == state.Registration!.SettingsRevision
            ? failed.Reason
            : null;
    }
}
