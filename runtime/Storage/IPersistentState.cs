namespace Cluster.Runtime;

/// <summary>State that a grain takes in its constructor; it is read before <c>OnActivateAsync</c>.</summary>
public interface IPersistentState<TState> : IStorage<TState>
{
}
