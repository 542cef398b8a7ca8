namespace Cluster.Grains.Repository.Json;

/// <summary>A member of an object.</summary>
/// <param name="Name">The key.</param>
/// <param name="Path">The keys from the top, joined by dots: what messages call the member.</param>
/// <param name="Value">What the key stands for.</param>
internal sealed record JsonMember(string Name, string Path, JsonItem Value)
{
    public int Line => Value.Line;
}
