namespace Cluster.Runtime;

/// <summary>A grain's stored state.</summary>
public interface IStorage<TState> : IStorage
{
    /// <summary>The state; a new object if nothing is stored.</summary>
    TState State { get; set; }
}
