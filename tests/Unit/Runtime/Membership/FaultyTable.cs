namespace Cluster.Unit.Runtime.Membership;

/// <summary>One silo's way to the table, which may be cut, or stand still together with the silo.</summary>
internal sealed class FaultyTable(IMembershipTable table, Func<bool> isSuspended) : IMembershipTable
{
    public volatile bool Away;

    public async ValueTask<TableReading?> ReadAsync(CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        return Away ? null : await table.ReadAsync(cancellationToken);
    }

    public async ValueTask<TableWrite> TryWriteAsync(MembershipView expected, MembershipView next, CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        return Away ? TableWrite.Unavailable : await table.TryWriteAsync(expected, next, cancellationToken);
    }

    public async ValueTask<TableBeat?> BeatAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        await PassAsync(cancellationToken);
        return Away ? null : await table.BeatAsync(silo, cancellationToken);
    }

    public ValueTask<bool> TryWatchAsync(Action changed, CancellationToken cancellationToken) => table.TryWatchAsync(changed, cancellationToken);

    private async Task PassAsync(CancellationToken cancellationToken)
    {
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (isSuspended())
        {
            await poll.WaitForNextTickAsync(cancellationToken);
        }
    }
}
