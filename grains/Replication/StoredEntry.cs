namespace Cluster.Grains.Replication;

/// <summary>What the store has of a key.</summary>
/// <param name="Content">Null: the key was removed.</param>
internal readonly record struct StoredEntry(string Key, long Sequence, byte[]? Content);
