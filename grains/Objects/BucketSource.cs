using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects.Downloads;
using Cluster.Grains.Repository;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Settings;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Objects;

/// <summary>
/// A repository in an object store: as a folder of models, but listed by <see cref="RefreshAsync"/>. A scan reports the last listing and asks the store for nothing.
/// What was listed is kept on the disk, so that a start while the store is away begins with it.
/// </summary>
internal sealed class BucketSource(ObjectAddress root, ObjectReader reader, StorageSources sources, ListingFile kept, TimeProvider clock, ILogger logger) : IModelSource
{
    private readonly Lock _lock = new();
    private Task _refreshing = Task.CompletedTask;
    private Dictionary<string, ObjectModel> _models = [];
    private BucketListing? _listing;
    private string? _away;

    /// <inheritdoc/>
    public Task RefreshAsync(string? model, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _refreshing = RefreshAfterAsync(_refreshing, model, cancellationToken);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="RepositoryConfigurationException">It could never be listed.</exception>
    public SourceScan Scan()
    {
        lock (_lock)
        {
            var (listing, away) = (_listing, _away);
            if (listing is null)
            {
                throw new RepositoryConfigurationException($"models: '{root}' cannot be listed: {away ?? "it was not tried"}");
            }

            string[] problems = away is null ? [] : [$"models: '{root}' cannot be listed: {away}; the models known before stay"];
            var warnings = new List<string>();
            var models = new Dictionary<string, ObjectModel>(listing.Models.Count, StringComparer.Ordinal);
            var registrations = ImmutableArray.CreateBuilder<ModelRegistration>(listing.Models.Count);
            foreach (var (name, found) in listing.Models)
            {
                var model = _models.GetValueOrDefault(name) ?? new ObjectModel(name, root.Below(name), clock);
                models.Add(name, model);
                registrations.Add(model.Update(found.Objects, found.Settings, warnings));
            }

            _models = models;
            return new SourceScan(registrations.DrainToImmutable(), [.. listing.Problems, .. problems], [.. listing.Warnings, .. warnings]);
        }
    }

    /// <inheritdoc/>
    public SourceScan Scan(string name) => Scan();

    private static bool IsModel(string? name) => name is not null && !Folder.IsHidden(name) && ModelName.ProblemOf(name) is null && ObjectKeys.ProblemOf(name) is null && !name.Contains('/');

    /// <summary>One after the other.</summary>
    private async Task RefreshAfterAsync(Task before, string? model, CancellationToken cancellationToken)
    {
        await before.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            var listing = await ListAsync(_listing is null || !IsModel(model) ? null : model, cancellationToken).ConfigureAwait(false);
            _away = null;
            if (_listing is null || !listing.IsSame(_listing))
            {
                _listing = listing;
                kept.Write(root, listing);
            }
        }
        catch (ObjectStoreException exception)
        {
            _away = exception.Message;
            if (_listing is null && exception.IsPassing && kept.Read(root) is { } former)
            {
                Log.FormerListing(logger, root.ToString(), exception.Message);
                _listing = former;
            }
        }
    }

    private async Task<BucketListing> ListAsync(string? only, CancellationToken cancellationToken)
    {
        var source = sources.Find(root) ?? throw new ObjectStoreException(StoreFailure.Denied, "no storage source holds it");
        var prefix = only is null ? root.Prefix : root.Below(only).Prefix;
        var objects = await reader.ListAsync(source, root, prefix, int.MaxValue, cancellationToken).ConfigureAwait(false);
        var problems = new List<string>();
        var warnings = new List<string>();
        var models = ImmutableSortedDictionary.CreateBuilder<string, ListedModel>(StringComparer.Ordinal);
        foreach (var group in objects.GroupBy(static item => item.Key.IndexOf('/') is > 0 and var slash ? item.Key[..slash] : ""))
        {
            if (group.Key.Length == 0)
            {
                warnings.AddRange(group.Where(static item => item.Key.EndsWith(".onnx", StringComparison.Ordinal))
                    .Select(static item => $"{ObjectKeys.Quote(item.Key)} is ignored: a model file belongs below <model name>/<version>/"));
            }
            else if (Folder.IsHidden(group.Key))
            {
                continue;
            }
            else if ((ModelName.ProblemOf(group.Key) ?? (ObjectKeys.ProblemOf(group.Key) is { } bad ? $"the prefix {ObjectKeys.Quote(group.Key)} {bad}" : null)) is { } problem)
            {
                problems.Add(problem);
            }
            else
            {
                models.Add(group.Key, await ReadAsync(source, group.Key, [.. group.Select(static item => item with { Key = item.Key[(item.Key.IndexOf('/') + 1)..] })], cancellationToken).ConfigureAwait(false));
            }
        }

        if (only is null || _listing is not { } before)
        {
            return new BucketListing(models.ToImmutable(), [.. problems], [.. warnings]);
        }

        var merged = models.TryGetValue(only, out var found) ? before.Models.SetItem(only, found) : before.Models.Remove(only);
        return before with { Models = merged };
    }

    /// <summary>The model's model.json is read when its ETag is another than before.</summary>
    private async Task<ListedModel> ReadAsync(StorageSource source, string name, ImmutableArray<StoredObject> objects, CancellationToken cancellationToken)
    {
        var settings = objects.FirstOrDefault(static item => item.Key == SettingsFile.Name);
        var known = _listing?.Models.GetValueOrDefault(name)?.Settings;
        return new ListedModel(
            objects,
            settings.Key is null ? null
            : known?.ETag == settings.ETag ? known
            : await SettingsObject.ReadAsync(reader, source, root.Below(name), settings, cancellationToken).ConfigureAwait(false));
    }
}

/// <summary>What a listing found.</summary>
/// <param name="Models">By name.</param>
/// <param name="Problems">What can be no model.</param>
/// <param name="Warnings">What is ignored.</param>
internal sealed record BucketListing(ImmutableSortedDictionary<string, ListedModel> Models, ImmutableArray<string> Problems, ImmutableArray<string> Warnings)
{
    public bool IsSame(BucketListing other) =>
        Problems.SequenceEqual(other.Problems) && Warnings.SequenceEqual(other.Warnings) && Models.Count == other.Models.Count
        && Models.All(model => other.Models.TryGetValue(model.Key, out var same) && model.Value.Settings == same.Settings && model.Value.Objects.AsSpan().SequenceEqual(same.Objects.AsSpan()));
}

/// <param name="Objects">With keys relative to the model's folder.</param>
/// <param name="Settings">Its model.json; null where there is none.</param>
internal sealed record ListedModel(ImmutableArray<StoredObject> Objects, SettingsObject? Settings);

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
