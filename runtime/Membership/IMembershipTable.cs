namespace Cluster.Runtime;

/// <summary>
/// Where the members of the cluster are written down. A table that cannot be reached is an outcome, not an exception. Called concurrently.
/// </summary>
internal interface IMembershipTable
{
    /// <summary>Reads everything at once; null if the table cannot be reached.</summary>
    ValueTask<TableReading?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Replaces <paramref name="expected"/> by <paramref name="next"/> if the table still has its version and incarnation, and tells
    /// those who watch. <see cref="MembershipView.None"/> is expected where there is no table.
    /// </summary>
    ValueTask<TableWrite> TryWriteAsync(MembershipView expected, MembershipView next, CancellationToken cancellationToken);

    /// <summary>Notes, with the table's clock, that a silo that is not dead is alive; null if the table cannot be reached.</summary>
    ValueTask<TableBeat?> BeatAsync(SiloAddress silo, CancellationToken cancellationToken);

    /// <summary>Has a callback made whenever somebody has written; false if that is not possible now. Messages may get lost.</summary>
    ValueTask<bool> TryWatchAsync(Action changed, CancellationToken cancellationToken);
}
