namespace Cluster.Runtime.CodeGeneration;

/// <summary>A member with a number.</summary>
/// <param name="FieldName">The field behind it.</param>
/// <param name="Codec">An expression.</param>
/// <param name="IsRequired">Has the modifier: a constructor gives it no value.</param>
internal sealed record SerializableMember(uint Id, string Name, string FieldName, string Type, string Codec, bool IsRequired);
