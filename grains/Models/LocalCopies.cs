using System.Collections.Concurrent;
using Cluster.Grains.Placement;

namespace Cluster.Grains.Models;

/// <summary>The copies of this silo, from before they load until they begin to end. Safe from any thread.</summary>
internal sealed class LocalCopies(SiloDraining draining)
{
    private readonly ConcurrentDictionary<(string Model, long Version, string Revision, string SettingsRevision), LocalCopy> _copies = new();

    /// <summary>Whether this silo is about to leave: it takes no copy any more.</summary>
    public bool IsDraining => draining.HasBegun;

    public IEnumerable<LocalCopy> All => _copies.Values;

    /// <summary>Takes a copy in; false if there is another of the same content, which would be as good.</summary>
    public bool TryEnter(LocalCopy copy) => _copies.TryAdd(Key(copy), copy);

    /// <summary>A copy ends. A second call does nothing.</summary>
    public void Leave(LocalCopy copy) => _copies.TryRemove(KeyValuePair.Create(Key(copy), copy));

    /// <summary>The copy that stands in the way of <paramref name="copy"/>, or null.</summary>
    public LocalCopy? InTheWayOf(LocalCopy copy) => _copies.GetValueOrDefault(Key(copy));

    /// <summary>Models that have copies in memory here.</summary>
    public IReadOnlyCollection<string> Models() => [.. _copies.Values.Select(static copy => copy.Id.Model).Distinct(StringComparer.Ordinal)];

    private static (string Model, long Version, string Revision, string SettingsRevision) Key(LocalCopy copy) =>
        (copy.Id.Model, copy.Id.Version, copy.Revision, copy.SettingsRevision);
}
