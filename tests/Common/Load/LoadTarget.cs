namespace Cluster.Tests.Common;

/// <summary>A model, or an alias, to ask.</summary>
/// <param name="Numbers">The answers that are right.</param>
public sealed record LoadTarget(string Model, params IReadOnlyList<float> Numbers)
{
    public byte[] Request { get; } = MeshClient.Request(Model);
}
