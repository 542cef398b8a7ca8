namespace Cluster.Grains.Replication;

/// <summary>Sent to every process at each change of the store.</summary>
/// <param name="Change">The number of the change; the next one has the next number.</param>
internal readonly record struct StoreMessage(string Life, long Change, StoredEntry Entry);
