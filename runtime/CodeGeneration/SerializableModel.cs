namespace Cluster.Runtime.CodeGeneration;

/// <summary>A type that crosses process boundaries, as text for the generated code.</summary>
/// <param name="FullName">With <c>global::</c>.</param>
/// <param name="PlainName">For messages.</param>
/// <param name="Alias">The name on the wire.</param>
/// <param name="IsValueType">A struct; made from its default if <paramref name="Parameters"/> is null.</param>
/// <param name="Parameters">Of the constructor to call; null: a struct's default.</param>
internal sealed record SerializableModel(
    string FullName,
    string PlainName,
    string CodecName,
    string Alias,
    bool IsValueType,
    EquatableArray<SerializableMember> Members,
    EquatableArray<SerializableParameter>? Parameters);
