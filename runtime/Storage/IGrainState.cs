namespace Cluster.Runtime;

/// <summary>A state with what its storage knows of it.</summary>
public interface IGrainState<T>
{
    T State { get; set; }

    /// <summary>The stored version; null if nothing is stored.</summary>
    string? ETag { get; set; }

    bool RecordExists { get; set; }
}
