using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Registry;

/// <summary>
/// What ModelMesh Serving writes into a registration's key: the name of a storage source beside what it knows of the model. Settings of a model.json may stand beside it.
/// </summary>
/// <param name="Name">Of the storage source.</param>
/// <param name="Bucket">The bucket that has to be the source's; null where none is named.</param>
/// <param name="Settings">The other members, a model.json; empty where there is none.</param>
internal sealed record StorageKey(string Name, string? Bucket, string Settings)
{
    private const string NameKey = "storage_key";
    private const string BucketKey = "bucket";
    private const string Parameters = "storage_params";

    /// <summary>ModelMesh's members. Those that are not read here are for its own pullers.</summary>
    private static readonly FrozenSet<string> Known = FrozenSet.Create(NameKey, BucketKey, Parameters, "model_type", "disk_size_bytes");

    /// <returns>Null where the key names no storage source; what else is wrong with it, the reader of settings finds.</returns>
    public static StorageKey? Read(string key)
    {
        if (!key.Contains(NameKey, StringComparison.Ordinal) || JsonTree.Parse(Encoding.UTF8.GetBytes(key), new JsonErrors()) is not { Kind: JsonValueKind.Object } top)
        {
            return null;
        }

        if (Text(top, NameKey) is not { Length: > 0 } name)
        {
            return null;
        }

        var bucket = Text(top, BucketKey) ?? (top.Members.FirstOrDefault(static member => member.Name == Parameters) is { } parameters ? Text(parameters.Value, BucketKey) : null);
        var rest = top with { Members = [.. top.Members.Where(static member => !Known.Contains(member.Name))] };
        return new StorageKey(name, bucket, rest.Members.IsEmpty ? "" : rest.ToJson());
    }

    private static string? Text(JsonItem item, string name) =>
        item.Members.FirstOrDefault(member => member.Name == name) is { Value: { Kind: JsonValueKind.String } value } ? value.Text : null;
}
