namespace Cluster.Grains.Replication;

/// <summary>Entries of the store in the order of their last changes, from one change on.</summary>
/// <param name="Life">Another one than before: the store was restarted, and may have lost something.</param>
/// <param name="Purged">Removals up to this change may be forgotten: who has missed it must read everything.</param>
/// <param name="Reached">The change up to which the page goes.</param>
/// <param name="IsLast">Whether there is no later change.</param>
internal sealed record StorePage(string Life, long Purged, long Reached, bool IsLast, IReadOnlyList<StoredEntry> Entries);
