namespace Cluster.Contracts.Wire;

/// <summary>One entry of a request's <c>outputs</c>.</summary>
/// <param name="Name">UTF-8.</param>
/// <param name="Classification">How many classes to answer instead of the tensor; 0 for the tensor itself.</param>
public readonly record struct RequestedOutput(Slice Name, long Classification);
