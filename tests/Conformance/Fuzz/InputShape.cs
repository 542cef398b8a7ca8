namespace Cluster.Conformance.Fuzz;

/// <param name="Shape">−1 where each request chooses.</param>
internal sealed record InputShape(string Name, string Datatype, IReadOnlyList<long> Shape);
