namespace Cluster.Grains.Replication;

/// <summary>An answer of the store about one entry.</summary>
/// <param name="Accepted">Whether a write was carried out, or had been before.</param>
/// <param name="Stored">What the store has now; null for nothing at all, or, of an accepted publish, for what was published.</param>
internal readonly record struct StoreAnswer(bool Accepted, StoredEntry? Stored);
