using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>What follows from a model's state: what to load next, what to end, what to tell the gateways. Pure.</summary>
internal static class ModelPlan
{
    /// <summary>The state with what a registration says. Settings that cannot be read change nothing: the last good ones stay in force for what serves. Bounds stay, too.</summary>
    /// <param name="retryFailed">Whether content that is known not to load is to be tried again.</param>
    public static ModelGrainState Register(ModelGrainState state, ModelRegistration registration, bool retryFailed) => state with
    {
        Registration = (registration.Problem is not null && state.Registration is { } known
            ? registration with { VersionPolicy = known.VersionPolicy, Settings = known.Settings, SettingsRevision = known.SettingsRevision }
            : registration) with { Bounds = state.Registration?.Bounds, LoadNow = false },
        NotYetUsed = !registration.LoadNow && (state.NotYetUsed || (state.Registration is null && registration.Origin == RegistrationOrigin.Registered)),
        Failed = retryFailed ? state.Failed.Clear() : registration.LoadNow ? state.Failed.RemoveRange(DueLater(state)) : state.Failed,
        FailedOn = retryFailed ? state.FailedOn.Clear() : state.FailedOn,
        LostWith = retryFailed ? state.LostWith.Clear() : state.LostWith,
        StuckOn = retryFailed ? state.StuckOn.Clear() : state.StuckOn,
    };

    /// <summary>
    /// The versions that should serve, highest first. The policy chooses among those that have not failed, so that an older version
    /// serves where the newest is broken.
    /// </summary>
    public static ImmutableArray<long> Desired(ModelGrainState state)
    {
        if (state.Registration is not { } registration || state.Unloaded || state.NotYetUsed)
        {
            return [];
        }

        // Unreadable settings do not say what is wanted. Serving versions go on, unless they are gone from the repository.
        if (registration.Problem is not null)
        {
            return [.. registration.Versions.Select(source => source.Version).Where(state.Loaded.ContainsKey).OrderDescending()];
        }

        return registration.VersionPolicy.Select(registration.Versions
            .Where(source => state.Loaded.ContainsKey(source.Version) || FailureOf(state, source) is null)
            .Select(source => source.Version));
    }

    /// <summary>The next version to load, or null without one.</summary>
    /// <param name="postponed">Versions to leave out.</param>
    public static ModelVersionSource? NextLoad(ModelGrainState state, IReadOnlySet<long>? postponed = null)
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
                return source;
            }
        }

        return null;
    }

    /// <summary>Versions that serve and should not any more.</summary>
    public static IEnumerable<KeyValuePair<long, LoadedVersion>> ToUnload(ModelGrainState state)
    {
        var desired = Desired(state);
        return state.Loaded.Where(loaded => !desired.Contains(loaded.Key));
    }

    /// <summary>Replicas that a version in memory should have.</summary>
    /// <param name="silos">Silos that may hold one, at least 1.</param>
    public static int WantedReplicas(ModelGrainState state, long version, int silos)
    {
        var bounds = state.Registration?.CopyBounds() ?? (1, 0);
        var most = bounds.Most > 0 ? Math.Min(bounds.Most, silos) : silos;
        return Math.Clamp(Math.Max(bounds.Least, state.Loaded.GetValueOrDefault(version)?.Target ?? 1), 1, Math.Max(1, most));
    }

    /// <summary>Whether a version serves the content that it should.</summary>
    public static bool IsCurrent(ModelGrainState state, long version) =>
        state.Registration?.Versions.FirstOrDefault(source => source.Version == version) is { } source
        && IsCurrent(state.Registration, source, state.Loaded.GetValueOrDefault(version));

    /// <summary>
    /// The highest version that the policy chose and that does not load, or null. An older version, or its own previous content, may serve in its place. Versions outside the policy may be broken.
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

    /// <summary>The serving state for gateways.</summary>
    public static ModelServingState Describe(string name, ModelGrainState state)
    {
        var sources = state.Registration?.Versions ?? [];
        var desired = Desired(state);
        var versions = sources.Select(source => source.Version)
            .Union(state.Loaded.Keys)
            .OrderDescending()
            .Select(version => Describe(version, sources.FirstOrDefault(source => source.Version == version), desired.Contains(version), state) with
            {
                FailedOn = [.. FailurePlan.Silos(state, version).Select(static silo => silo.ToParsableString())],
                LastUsed = state.Uses.GetValueOrDefault(version)?.LastUsed,
                IsSuspect = state.LostWith.ContainsKey(version),
            });
        return new ModelServingState(name, [.. versions], state.Registration?.Problem) { Origin = state.Registration?.Origin ?? default, Bounds = state.Registration?.Bounds };
    }

    /// <param name="isDesired">Whether it is to serve: without a replica it loads, or is about to.</param>
    private static VersionServingState Describe(long version, ModelVersionSource? source, bool isDesired, ModelGrainState state)
    {
        var failure = source is null ? null : FailureOf(state, source);
        var arriving = ReplicaPlan.Arriving(state, version);
        if (state.Loaded.TryGetValue(version, out var loaded))
        {
            var onDemand = ReplicaPlan.IsOnDemand(state, version);
            return new VersionServingState
            {
                Version = version,
                State = ModelVersionState.Ready,
                Replicas = loaded.Replicas,
                Arriving = arriving,
                OnDemand = onDemand,
                Reason = failure is null ? onDemand ? ServingReasons.OnDemand : FallBack(state, version) : $"{ServingReasons.PreviousContent}, the new one does not load: {failure}",
            };
        }

        return arriving.Length > 0 || isDesired
            ? new VersionServingState { Version = version, State = ModelVersionState.Loading, Arriving = arriving }
            : new VersionServingState
            {
                Version = version,
                State = ModelVersionState.Unavailable,
                Failed = !state.Unloaded && failure is not null,
                Reason = state.Unloaded ? ServingReasons.Unloaded : failure ?? NotWanted(state, version),
                NoSilo = !state.Unloaded && failure is not null && state.Failed.GetValueOrDefault(version)?.NoSilo == true,
            };
    }

    /// <summary>Why what may run on OpenVINO runs on the CPU provider, as the replica that was loaded last says; else empty.</summary>
    private static string FallBack(ModelGrainState state, long version) =>
        state.Past.GetValueOrDefault(version)?.Description is { ProviderReason: { Length: > 0 } reason } ? ServingReasons.OnCpu + reason : "";

    private static string NotWanted(ModelGrainState state, long version) => state switch
    {
        { Registration.Problem: not null } => "",
        { NotYetUsed: true } when Desired(state with { NotYetUsed = false }).Contains(version) => ServingReasons.NotYetUsed,
        _ => ServingReasons.NotChosen,
    };

    /// <summary>Versions that failed for want of a silo or of the store, which says nothing of their content.</summary>
    private static List<long> DueLater(ModelGrainState state) => [.. state.Failed.Where(static failed => failed.Value.RetryOn is not null).Select(static failed => failed.Key)];

    private static bool IsCurrent(ModelRegistration registration, ModelVersionSource source, LoadedVersion? loaded) =>
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
