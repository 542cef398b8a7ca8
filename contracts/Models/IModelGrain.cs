using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Models;

/// <summary>
/// One model by name: what should be served, and the loading, switching and unloading that gets there. Control plane; no inference
/// passes through it.
/// </summary>
[Alias("model")]
public interface IModelGrain : IGrainWithStringKey
{
    /// <summary>
    /// Takes the repository's latest word on the model. Returns when it is carried out: chosen versions loaded or found broken, others
    /// unloaded. A version that serves is replaced only by one that is ready.
    /// </summary>
    /// <param name="registration">The model, or with no versions and no problem: the model is gone.</param>
    /// <param name="retryFailed">Whether content that failed to load is tried again.</param>
    /// <exception cref="ServingException">ALREADY_EXISTS: the model came from elsewhere and is still there.</exception>
    [ResponseTimeout("01:00:00"), Alias("apply")]
    ValueTask ApplyAsync(ModelRegistration registration, bool retryFailed, CancellationToken cancellationToken);

    /// <summary>Serves the model again after <see cref="UnloadAsync"/>, tries again what failed to load, and loads what serves but is not in memory.</summary>
    /// <exception cref="ServingException">
    /// NOT_FOUND: no such model. UNAVAILABLE: a version failed to load, with the cause. RESOURCE_EXHAUSTED: there is no room now.
    /// </exception>
    [ResponseTimeout("01:00:00"), Alias("load")]
    ValueTask LoadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Loads a registered model that nobody has asked for yet; does nothing in any other case. Returns when it has loaded or failed.
    /// </summary>
    [ResponseTimeout("01:00:00"), Alias("wake")]
    ValueTask WakeAsync(CancellationToken cancellationToken);

    /// <summary>Stops serving the model until <see cref="LoadAsync"/>; running requests are finished.</summary>
    /// <exception cref="ServingException">NOT_FOUND: no such model.</exception>
    [ResponseTimeout("01:00:00"), Alias("unload")]
    ValueTask UnloadAsync(CancellationToken cancellationToken);

    /// <summary>Told by a copy that it was loaded, or that it goes. Taken at once, also while a change is carried out.</summary>
    [AlwaysInterleave, Alias("report")]
    ValueTask ReportAsync(CopyReport report);

    /// <summary>Told by a copy that its load failed. Another version serves in its place if the policy has one.</summary>
    [ResponseTimeout("01:00:00"), Alias("report-failure")]
    ValueTask ReportFailureAsync(CopyFailure failure);

    /// <summary>What is known of a version without loading it.</summary>
    [AlwaysInterleave, Alias("unloaded-copy")]
    ValueTask<UnloadedCopy> GetUnloadedAsync(long version);
}
