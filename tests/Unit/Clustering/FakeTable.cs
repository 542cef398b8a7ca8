namespace Cluster.Unit.Clustering;

/// <summary>A membership table in memory, for what only reads and updates rows.</summary>
internal sealed class FakeTable : IMembershipTable
{
    private readonly Dictionary<SiloAddress, MembershipEntry> _rows = [];
    private int _version = 1;

    public bool IsAway { get; set; }

    public int Reads { get; private set; }

    /// <summary>Called with the first read.</summary>
    public Action? Read { get; set; }

    public void Add(IEnumerable<SiloAddress> silos)
    {
        foreach (var silo in silos)
        {
            _rows[silo] = TableProcess.Entry(silo, SiloStatus.Active);
        }
    }

    public void Bury(SiloAddress silo) => _rows[silo].Status = SiloStatus.Dead;

    public void Beat(params SiloAddress[] silos) => Array.ForEach(silos, silo => _rows[silo].IAmAliveTime += TimeSpan.FromSeconds(1));

    public SiloStatus StatusOf(SiloAddress silo) => _rows[silo].Status;

    public Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken = default)
    {
        Reads++;
        Read?.Invoke();
        Read = null;
        return IsAway
            ? throw new TimeoutException("gone")
            : Task.FromResult(new MembershipTableData([.. _rows.Values.Select(row => Tuple.Create(row, $"{_version}"))], new TableVersion(_version, $"{_version}")));
    }

    public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken = default)
    {
        _rows[entry.SiloAddress] = entry;
        _version = tableVersion.Version;
        return Task.FromResult(true);
    }

    [Obsolete("Not called.")]
    public Task InitializeMembershipTable(bool tryInitTableVersion) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task DeleteMembershipTableEntries(string clusterId) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task<MembershipTableData> ReadRow(SiloAddress key) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task<MembershipTableData> ReadAll() => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => throw new NotSupportedException();

    [Obsolete("Not called.")]
    public Task UpdateIAmAlive(MembershipEntry entry) => throw new NotSupportedException();
}
