namespace Cluster.ClusterTests.Support;

/// <summary>A model, or an alias, to ask.</summary>
/// <param name="Numbers">The answers that are right.</param>
internal sealed record LoadTarget(string Model, params IReadOnlyList<float> Numbers)
{
    public byte[] Request { get; } = MeshClient.Request(Model);
}
