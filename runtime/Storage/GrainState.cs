namespace Cluster.Runtime;

/// <summary>A state with what its storage knows of it.</summary>
public sealed class GrainState<T> : IGrainState<T>
{
    public GrainState()
        : this(Activator.CreateInstance<T>())
    {
    }

    public GrainState(T state, string? eTag = null)
    {
        State = state;
        ETag = eTag;
    }

    public T State { get; set; }

    public string? ETag { get; set; }

    public bool RecordExists { get; set; }
}
