namespace Cluster.Contracts.Serving;

/// <summary>Where a model version is in its life, as the repository index names it.</summary>
[GenerateSerializer, Alias("model-version-state")]
public enum ModelVersionState
{
    /// <summary>Not served: not chosen by the version policy, unloaded on request, or failed to load.</summary>
    Unavailable,

    /// <summary>Being loaded; requests wait for it.</summary>
    Loading,

    /// <summary>Answers requests, if need be after loading it again.</summary>
    Ready,

    /// <summary>Takes no new requests; those that run are finished.</summary>
    Unloading,
}
