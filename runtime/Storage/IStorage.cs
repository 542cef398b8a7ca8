namespace Cluster.Runtime;

/// <summary>A grain's stored state, without its type.</summary>
public interface IStorage
{
    /// <summary>The version that was read or written last; null if there is none.</summary>
    string? Etag { get; }

    /// <summary>True if something is stored.</summary>
    bool RecordExists { get; }

    /// <summary>Removes what is stored and starts from a new state.</summary>
    Task ClearStateAsync();

    /// <summary>Stores the state.</summary>
    /// <exception cref="InconsistentStateException">Somebody else stored since this activation read; the activation ends.</exception>
    Task WriteStateAsync();

    /// <summary>Reads the state anew.</summary>
    Task ReadStateAsync();
}
