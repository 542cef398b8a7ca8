namespace Cluster.Runtime;

/// <summary>A state was stored by somebody else since it was read.</summary>
public sealed class InconsistentStateException : Exception
{
    public InconsistentStateException()
    {
    }

    public InconsistentStateException(string message)
        : base(message)
    {
    }

    public InconsistentStateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public InconsistentStateException(string message, string? storedEtag, string? currentEtag)
        : base($"{message}: stored ETag is '{storedEtag}', the writer's is '{currentEtag}'")
    {
        StoredEtag = storedEtag;
        CurrentEtag = currentEtag;
    }

    /// <summary>The ETag in the storage.</summary>
    public string? StoredEtag { get; }

    /// <summary>The ETag of the writer.</summary>
    public string? CurrentEtag { get; }
}
