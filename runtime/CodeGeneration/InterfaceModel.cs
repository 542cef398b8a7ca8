namespace Cluster.Runtime.CodeGeneration;

/// <summary>A grain interface, as text for the generated code.</summary>
internal sealed record InterfaceModel(string FullName, string ProxyName, EquatableArray<MethodModel> Methods);
