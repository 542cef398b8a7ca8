namespace Cluster.Conformance.Fuzz;

/// <param name="JsonLength">Where the binary part begins; null if there is none.</param>
internal sealed record RestAnswer(int Status, string ContentType, int? JsonLength, byte[] Body);
