using System.Diagnostics.CodeAnalysis;
using Orleans.Clustering.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>What this process knows of the membership: the rows and the version that it last read or wrote, and what Orleans has heard since. Safe from any thread.</summary>
internal sealed class MembershipMemory(Lazy<IClusterMembershipService> membership, TimeProvider time)
{
    /// <summary>
    /// A process that was suspended for longer forgets its rows, as its own may have been declared dead and cleaned. Half of the time that Orleans keeps dead rows.
    /// </summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    private readonly Lock _lock = new();
    private Dictionary<SiloAddress, MembershipEntry> _rows = [];
    private int? _version;
    private DateTimeOffset _lastUse = time.GetUtcNow();

    /// <summary>The version that Orleans knows, by the table or by gossip; null: none yet.</summary>
    public int? Version
    {
        get
        {
            int? version;
            lock (_lock)
            {
                version = _version;
            }

            return version is null ? null : Math.Max(version.Value, (int)membership.Value.CurrentSnapshot.Version.Value);
        }
    }

    /// <summary>The row of a silo as it was last read or written; null: none.</summary>
    public MembershipEntry? Find(SiloAddress silo)
    {
        lock (_lock)
        {
            return _rows.GetValueOrDefault(silo);
        }
    }

    /// <summary>The table as it was last known; null: never.</summary>
    public MembershipTableData? Recall()
    {
        lock (_lock)
        {
            return _version is { } version
                ? new MembershipTableData([.. _rows.Values.Select(static row => Tuple.Create(Copy(row, row.Status), ""))], new TableVersion(version, ""))
                : null;
        }
    }

    /// <summary>Takes the rows that were read, unless they are older.</summary>
    public MembershipTableData Remember(MembershipTableData data)
    {
        lock (_lock)
        {
            if (_version is null || data.Version.Version >= _version)
            {
                _version = data.Version.Version;
                _rows = data.Members.ToDictionary(static row => row.Item1.SiloAddress, static row => Copy(row.Item1, row.Item1.Status));
            }
        }

        return data;
    }

    /// <summary>Takes a row that was written.</summary>
    public void Remember(MembershipEntry entry, TableVersion version)
    {
        lock (_lock)
        {
            if (version.Version > _version)
            {
                _version = version.Version;
                _rows = new(_rows) { [entry.SiloAddress] = Copy(entry, entry.Status) };
            }
        }
    }

    /// <summary>Called with each reading.</summary>
    public void ForgetAfterSuspension()
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (now - _lastUse > Longest)
            {
                _version = null;
                _rows = [];
            }

            _lastUse = now;
        }
    }

    /// <summary>Whether a table that was read has all that is known.</summary>
    /// <exception cref="RedisClusteringException">There is no table, and this process knows none.</exception>
    public bool IsWhole([NotNullWhen(true)] MembershipTableData? data)
    {
        if (Version is not { } floor)
        {
            return data is not null ? true : throw new RedisClusteringException("Redis has no membership table");
        }

        return data is not null && data.Version.Version >= floor && Lost(data, floor) is null;
    }

    /// <summary>A row that is known and that the table has not, or has with an earlier status; null: none. Dead rows may be cleaned from a table that is not behind.</summary>
    /// <param name="floor">The <see cref="Version"/>.</param>
    public MembershipEntry? Lost(MembershipTableData data, int floor)
    {
        Dictionary<SiloAddress, MembershipEntry> rows;
        lock (_lock)
        {
            rows = _rows;
        }

        var members = membership.Value.CurrentSnapshot.Members;
        foreach (var (silo, row) in rows)
        {
            var status = members.TryGetValue(silo, out var member) && member.Status > row.Status ? member.Status : row.Status;
            var found = data.TryGet(silo)?.Item1;
            if (found is null ? status != SiloStatus.Dead || data.Version.Version < floor : found.Status < status)
            {
                return Copy(found ?? row, status);
            }
        }

        return null;
    }

    /// <summary>What is remembered shares nothing with what callers hold, and change.</summary>
    private static MembershipEntry Copy(MembershipEntry row, SiloStatus status) => new()
    {
        SiloAddress = row.SiloAddress,
        Status = status,
        SuspectTimes = row.SuspectTimes is { } votes ? [.. votes] : null,
        ProxyPort = row.ProxyPort,
        HostName = row.HostName,
        SiloName = row.SiloName,
        RoleName = row.RoleName,
        UpdateZone = row.UpdateZone,
        FaultZone = row.FaultZone,
        StartTime = row.StartTime,
        IAmAliveTime = row.IAmAliveTime,
    };
}
