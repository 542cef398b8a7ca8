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

    /// <summary>ModelMesh's members; what is not read here it keeps for its own pullers.</summary>
    private static readonly FrozenSet<string> Known = FrozenSet.Create(NameKey, BucketKey, Parameters, "model_type", "disk_size_bytes");

    /// <param name="errors">Gets what is wrong with ModelMesh's members, and keys that are given twice; the reader of settings finds the rest. Null where that was asked before.</param>
    /// <returns>Null where the key names no storage source.</returns>
    public static StorageKey? Read(string key, JsonErrors? errors = null)
    {
        errors ??= new JsonErrors();
        if (!key.Contains(NameKey, StringComparison.Ordinal) || JsonTree.Parse(Encoding.UTF8.GetBytes(key), errors) is not { Kind: JsonValueKind.Object } top)
        {
            return null;
        }

        if (Find(top, NameKey) is not { Value: { Kind: JsonValueKind.String, Text: { Length: > 0 } name } })
        {
            return null;
        }

        var parameters = Find(top, Parameters);
        var inner = parameters is null || JsonExpect.Members(parameters, errors).IsEmpty ? null : BucketOf(parameters.Value, errors);
        var bucket = BucketOf(top, errors) ?? inner;
        var rest = top with { Members = [.. top.Members.Where(static member => !Known.Contains(member.Name))] };
        return new StorageKey(name, bucket, rest.Members.IsEmpty ? "" : rest.ToJson());
    }

    private static string? BucketOf(JsonItem item, JsonErrors errors) => Find(item, BucketKey) is { } bucket ? JsonExpect.String(bucket, errors) : null;

    /// <summary>Null where there is none, or null stands there.</summary>
    private static JsonMember? Find(JsonItem item, string name) => item.Members.FirstOrDefault(member => member.Name == name && member.Value.Kind != JsonValueKind.Null);
}
