using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Grains.Repository.Files;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>Keeps the last listing in the cache's folder.</summary>
internal sealed partial class ListingFile(CacheFolder folder, ILogger<ListingFile> logger)
{
    private const int Digits = 16;

    /// <summary>Written whole or not at all; that it cannot be is logged.</summary>
    public void Write(ObjectAddress root, BucketListing listing)
    {
        var kept = new KeptListing(root.ToString(), [.. listing.Models.Select(static model => new KeptModel(model.Key, [.. model.Value.Objects], model.Value.Settings))]);
        try
        {
            folder.WriteWhole(NameOf(root), JsonSerializer.SerializeToUtf8Bytes(kept, ListingJson.Default.KeptListing));
        }
        catch (Exception exception) when (IoReason.IsFileError(exception))
        {
            Log.ListingNotKept(logger, root.ToString(), IoReason.Of(exception));
        }
    }

    /// <returns>Null where there is none that can be read.</returns>
    public BucketListing? Read(ObjectAddress root)
    {
        try
        {
            var kept = JsonSerializer.Deserialize(folder.ReadWhole(NameOf(root)), ListingJson.Default.KeptListing);
            return kept?.Root != root.ToString()
                ? null
                : new BucketListing(kept.Models.ToImmutableSortedDictionary(static model => model.Name, static model => new ListedModel([.. model.Objects], model.Settings), StringComparer.Ordinal), [], []);
        }
        catch (Exception exception) when (IoReason.IsFileError(exception) || exception is JsonException or ArgumentException)
        {
            return null;
        }
    }

    private static string NameOf(ObjectAddress root) => $"listing-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(root.ToString())))[..Digits]}.json";

    internal sealed record KeptListing(string Root, IReadOnlyList<KeptModel> Models);

    internal sealed record KeptModel(string Name, IReadOnlyList<StoredObject> Objects, SettingsObject? Settings);

    [JsonSerializable(typeof(KeptListing))]
    private sealed partial class ListingJson : JsonSerializerContext;
}
