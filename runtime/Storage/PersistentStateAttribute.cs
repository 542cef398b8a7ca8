namespace Cluster.Runtime;

/// <summary>Names the state that a constructor parameter of type <see cref="IPersistentState{TState}"/> takes, and where it is stored.</summary>
[AttributeUsage(AttributeTargets.Parameter)]
public sealed class PersistentStateAttribute(string stateName, string? storageName = null) : Attribute
{
    /// <summary>The name among the states of the grain.</summary>
    public string StateName { get; } = stateName;

    /// <summary>The storage's name; null takes the one registered as <c>Default</c>.</summary>
    public string? StorageName { get; } = storageName;
}
