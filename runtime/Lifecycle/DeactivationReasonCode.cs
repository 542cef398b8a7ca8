namespace Cluster.Runtime;

/// <summary>Why an activation ends.</summary>
public enum DeactivationReasonCode : byte
{
    None,

    /// <summary>The silo stops.</summary>
    ShuttingDown,

    /// <summary>The activation could not be brought up.</summary>
    ActivationFailed,

    /// <summary>The directory could not be reached, or lost the entry.</summary>
    DirectoryFailure,

    /// <summary>Nobody called it for its collection age.</summary>
    ActivationIdle,

    /// <summary>It does not answer.</summary>
    ActivationUnresponsive,

    /// <summary>Another activation of the same grain was registered first.</summary>
    DuplicateActivation,

    /// <summary>It cannot answer a request that arrived.</summary>
    IncompatibleRequest,

    /// <summary>Application code failed in a way that makes its state stale.</summary>
    ApplicationError,

    /// <summary>Application code asked for it.</summary>
    ApplicationRequested,

    /// <summary>It moves to another silo.</summary>
    Migrating,

    /// <summary>The runtime asked for it.</summary>
    RuntimeRequested,

    /// <summary>The process is short of memory.</summary>
    HighMemoryPressure,
}
