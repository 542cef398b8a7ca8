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

    /// <summary>Serves the model again after <see cref="UnloadAsync"/>, and tries again what failed to load.</summary>
    /// <exception cref="ServingException">NOT_FOUND: no such model. UNAVAILABLE: a version failed to load, with the cause.</exception>
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
}
