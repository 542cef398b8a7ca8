namespace Cluster.Runtime.CodeGeneration;

/// <summary>A grain class and its grain interfaces, by full names.</summary>
internal sealed record ClassModel(string FullName, EquatableArray<string> Interfaces);
