namespace Cluster.Contracts.Errors;

/// <summary>What a failure means to the callers inside the cluster that act on it. Clients see the status code alone.</summary>
[GenerateSerializer, Alias("failure-kind")]
public enum FailureKind
{
    /// <summary>The failure is the answer: another try elsewhere would end the same way.</summary>
    None = 0,

    /// <summary>The replica is not loaded, or ends: another has to answer.</summary>
    Moved = 1,

    /// <summary>The replica's queue or its silo's memory is full; another may have room.</summary>
    Full = 2,

    /// <summary>No silo can hold a replica now.</summary>
    NoSilo = 3,

    /// <summary>The content does not load on the silo.</summary>
    LoadFailed = 4,

    /// <summary>The silo was lost, or cannot be reached.</summary>
    Lost = 5,
}
