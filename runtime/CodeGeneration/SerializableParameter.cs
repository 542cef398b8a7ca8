namespace Cluster.Runtime.CodeGeneration;

/// <summary>A parameter of the constructor that reading calls.</summary>
/// <param name="Member">Position of the member that it sets; −1: it takes its default.</param>
/// <param name="Default">An expression for where no value came; null: whatever the member's codec says.</param>
internal sealed record SerializableParameter(string Type, int Member, string? Default);
