namespace Cluster.Contracts.Models;

/// <summary>Who says that a model should be served. A name belongs to the first that claims it, until that one lets go.</summary>
[GenerateSerializer, Alias("registration-origin")]
public enum RegistrationOrigin
{
    /// <summary>The operator's model repository. Loaded as soon as it is seen.</summary>
    Repository,

    /// <summary>A client, at run time. Loaded at its first request.</summary>
    Registered,
}
