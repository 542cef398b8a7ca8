using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Clustering.Redis;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Orleans' membership table in Redis, which survives a Redis that loses it. Orleans ignores a table that is older than what it knows, and takes a newer one without its
/// own row for its death. So each process gives back the rows that it knows, and last a version past the old one:
/// <list type="number">
/// <item>no table, an older version, a missing row of a silo that lives, a status that went back. The table is healed before Orleans sees it;</item>
/// <item>rows go first, while the version is still old, so that survivors ignore the half-written table;</item>
/// <item>each row is a write on condition of the version, so several processes may heal at once.</item>
/// </list>
/// A Redis that is gone or refuses to write is the same: a read fails, a write has not happened, a heartbeat is left out. A process that stops meanwhile does not wait for it:
/// it tells the others by gossip, and they notice that its port is closed.
/// </summary>
internal sealed class HealingMembershipTable(
    IMembershipTable inner,
    Func<Task<IConnectionMultiplexer>> connect,
    RedisKey key,
    Lazy<IClusterMembershipService> membership,
    ILocalSiloDetails local,
    IHostApplicationLifetime lifetime,
    TimeProvider time,
    ILogger<HealingMembershipTable> logger) : IMembershipTable, IDisposable
{
    /// <summary>How long a silo that finds no table waits for those who would give it back, before it begins a new one.</summary>
    internal static readonly TimeSpan EmptyWait = TimeSpan.FromSeconds(2);

    private const int WriteAttempts = 10;
    private static readonly TimeSpan EmptyPoll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RedisPoll = TimeSpan.FromMilliseconds(500);

    /// <summary>Sets the version past the given one, unless it is past it already.</summary>
    private const string RaiseScript = """
        local version = redis.call('HGET', KEYS[1], 'Version')
        if version and tonumber(version) <= tonumber(ARGV[1]) then
            redis.call('HSET', KEYS[1], 'Version', string.format('%d', tonumber(ARGV[1]) + 1))
        end
        return 1
        """;

    private readonly MembershipMemory _memory = new(membership, time);
    private readonly JoinTurn _turn = new(connect, key, time);
    private readonly SemaphoreSlim _healing = new(1, 1);

    private bool IsStopping => lifetime.ApplicationStopping.IsCancellationRequested;

    public async Task InitializeMembershipTableAsync(bool tryInitTableVersion, CancellationToken cancellationToken = default)
    {
        var told = false;
        while (true)
        {
            try
            {
                await inner.InitializeMembershipTableAsync(false, cancellationToken).ConfigureAwait(false);
                if (tryInitTableVersion && !await AwaitRowsAsync(cancellationToken).ConfigureAwait(false))
                {
                    await inner.InitializeMembershipTableAsync(true, cancellationToken).ConfigureAwait(false);
                }

                _turn.Joins = tryInitTableVersion;
                return;
            }
            catch (Exception exception) when (IsRedis(exception))
            {
                if (!told)
                {
                    told = true;
                    HealingMembershipTableLog.JoinWaits(logger, exception.Message);
                }

                await Task.Delay(RedisPoll, time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <exception cref="RedisException">Redis is gone.</exception>
    /// <exception cref="RedisClusteringException">There is no table, and this process knows none.</exception>
    public async Task<MembershipTableData> ReadAllAsync(CancellationToken cancellationToken = default)
    {
        _memory.ForgetAfterSuspension();
        MembershipTableData? data;
        try
        {
            await _turn.AwaitAsync(cancellationToken).ConfigureAwait(false);
            data = await TryReadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsStopping && IsRedis(exception) && _memory.Recall() is { } known)
        {
            return known;
        }

        if (_memory.IsWhole(data))
        {
            return _memory.Remember(data);
        }

        await _healing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return _memory.Remember(await HealAsync(cancellationToken).ConfigureAwait(false));
        }
        finally
        {
            _healing.Release();
        }
    }

    /// <returns>False also while Redis is gone or refuses to write. Orleans reads again, and does not hold back other decisions for a minute as it does after an error.</returns>
    public Task<bool> InsertRowAsync(MembershipEntry entry, TableVersion tableVersion, CancellationToken cancellationToken = default) =>
        WriteAsync(entry, tableVersion, version => inner.InsertRowAsync(entry, version, cancellationToken), cancellationToken);

    /// <inheritdoc cref="InsertRowAsync"/>
    public Task<bool> UpdateRowAsync(MembershipEntry entry, string etag, TableVersion tableVersion, CancellationToken cancellationToken = default) =>
        WriteAsync(entry, tableVersion, version => inner.UpdateRowAsync(entry, version.VersionEtag, version, cancellationToken), cancellationToken);

    /// <summary>Never fails because of Redis: Orleans would leave out heartbeats for a minute after Redis is back, and the silo would count as stale.</summary>
    public async Task UpdateIAmAliveAsync(MembershipEntry entry, CancellationToken cancellationToken = default)
    {
        try
        {
            await inner.UpdateIAmAliveAsync(entry, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            HealingMembershipTableLog.HeartbeatLeftOut(logger, exception.Message);
        }

        try
        {
            var data = await ReadAllAsync(cancellationToken).ConfigureAwait(false);
            if (data.Version.Version > membership.Value.CurrentSnapshot.Version.Value)
            {
                await membership.Value.Refresh(new MembershipVersion(data.Version.Version), cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            HealingMembershipTableLog.HeartbeatLeftOut(logger, exception.Message);
        }
    }

    public Task<MembershipTableData> ReadRowAsync(SiloAddress key, CancellationToken cancellationToken = default) => inner.ReadRowAsync(key, cancellationToken);

    public Task CleanupDefunctSiloEntriesAsync(DateTimeOffset beforeDate, CancellationToken cancellationToken = default) =>
        inner.CleanupDefunctSiloEntriesAsync(beforeDate, cancellationToken);

    public Task DeleteMembershipTableEntriesAsync(string clusterId, CancellationToken cancellationToken = default) =>
        inner.DeleteMembershipTableEntriesAsync(clusterId, cancellationToken);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task InitializeMembershipTable(bool tryInitTableVersion) => InitializeMembershipTableAsync(tryInitTableVersion);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task DeleteMembershipTableEntries(string clusterId) => DeleteMembershipTableEntriesAsync(clusterId);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task CleanupDefunctSiloEntries(DateTimeOffset beforeDate) => CleanupDefunctSiloEntriesAsync(beforeDate);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task<MembershipTableData> ReadRow(SiloAddress key) => ReadRowAsync(key);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task<MembershipTableData> ReadAll() => ReadAllAsync();

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task<bool> InsertRow(MembershipEntry entry, TableVersion tableVersion) => InsertRowAsync(entry, tableVersion);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task<bool> UpdateRow(MembershipEntry entry, string etag, TableVersion tableVersion) => UpdateRowAsync(entry, etag, tableVersion);

    [Obsolete("Orleans calls the asynchronous ones.")]
    public Task UpdateIAmAlive(MembershipEntry entry) => UpdateIAmAliveAsync(entry);

    public void Dispose() => _healing.Dispose();

    private static bool IsRedis(Exception exception) => exception is RedisException or TimeoutException or RedisClusteringException or ObjectDisposedException;

    /// <summary>Whether there are rows, now or within <see cref="EmptyWait"/>.</summary>
    private async Task<bool> AwaitRowsAsync(CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();
        while (true)
        {
            if (await TryReadAsync(cancellationToken).ConfigureAwait(false) is { Members.Count: > 0 })
            {
                return true;
            }

            if (time.GetElapsedTime(begin) >= EmptyWait)
            {
                return false;
            }

            await Task.Delay(EmptyPoll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Null: Redis has no table.</summary>
    private async Task<MembershipTableData?> TryReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return WithoutDeadVoters(await inner.ReadAllAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (RedisClusteringException)
        {
            return null;
        }
    }

    /// <summary>
    /// A vote ends with its voter. A silo that is cut off suspects all others, dies and comes back. Its new vote against one of them would be the second, and enough.
    /// </summary>
    private static MembershipTableData WithoutDeadVoters(MembershipTableData data)
    {
        foreach (var (row, _) in data.Members)
        {
            row.SuspectTimes?.RemoveAll(vote => !IsVoter(vote.Item1, data));
        }

        return data;
    }

    private static bool IsVoter(SiloAddress silo, MembershipTableData data) => data.TryGet(silo)?.Item1.Status is not (null or SiloStatus.Dead);

    /// <summary>
    /// Writes a row. Where another process changed another row in between, a death or a vote is written again on condition of the version that is there now. Orleans would
    /// drop it. Not so the own row. Orleans publishes it with the version that it meant to write. A silo without a row in that would believe that it is dead.
    /// </summary>
    private async Task<bool> WriteAsync(MembershipEntry entry, TableVersion version, Func<TableVersion, Task<bool>> write, CancellationToken cancellationToken)
    {
        var before = _memory.Find(entry.SiloAddress);
        try
        {
            try
            {
                for (var attempt = 1; !await write(version).ConfigureAwait(false); attempt++)
                {
                    var data = entry.SiloAddress.Equals(local.SiloAddress) ? null : await TryReadAsync(cancellationToken).ConfigureAwait(false);
                    if (attempt == WriteAttempts || data is null || !IsSame(before, data.TryGet(entry.SiloAddress)?.Item1, data))
                    {
                        return false;
                    }

                    version = data.Version.Next();
                }
            }
            finally
            {
                await _turn.EndAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (IsRedis(exception))
        {
            HealingMembershipTableLog.NotWritten(logger, entry.SiloAddress, entry.Status, exception.Message);

            // Orleans would try each of the three states of a stop for half a minute.
            return IsStopping && entry.SiloAddress.Equals(local.SiloAddress);
        }

        _turn.Joins &= entry.Status != SiloStatus.Active;
        _memory.Remember(entry, version);
        return true;
    }

    /// <summary>Whether none but the heartbeat differs.</summary>
    private static bool IsSame(MembershipEntry? before, MembershipEntry? now, MembershipTableData data) =>
        before?.Status == now?.Status && (before?.SuspectTimes?.Count(vote => IsVoter(vote.Item1, data)) ?? 0) == (now?.SuspectTimes?.Count ?? 0);

    private async Task<MembershipTableData> HealAsync(CancellationToken cancellationToken)
    {
        int? behind = null;
        var begun = false;
        while (true)
        {
            var data = await TryReadAsync(cancellationToken).ConfigureAwait(false);
            if (_memory.IsWhole(data) && (behind is null || data.Version.Version > behind))
            {
                if (begun)
                {
                    HealingMembershipTableLog.Healed(logger, data.Version.Version, data.Members.Count);
                }

                return data;
            }

            var floor = _memory.Version!.Value;
            behind = data is null || data.Version.Version < floor ? floor : behind;
            if (!begun)
            {
                begun = true;
                HealingMembershipTableLog.Heals(logger, data?.Version.Version ?? 0, data?.Members.Count ?? 0, floor);
            }

            // Whether a write succeeds does not matter here, because the next read shows the rows that are still missing.
            if (data is null)
            {
                await inner.InitializeMembershipTableAsync(true, cancellationToken).ConfigureAwait(false);
            }
            else if (_memory.Lost(data, floor) is { } row)
            {
                _ = data.TryGet(row.SiloAddress) is { } found
                    ? await inner.UpdateRowAsync(row, found.Item2, data.Version.Next(), cancellationToken).ConfigureAwait(false)
                    : await inner.InsertRowAsync(row, data.Version.Next(), cancellationToken).ConfigureAwait(false);
            }
            else
            {
                var redis = await connect().ConfigureAwait(false);
                await redis.GetDatabase().ScriptEvaluateAsync(RaiseScript, [key], [floor], CommandFlags.DemandMaster).WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }
    }
}

/// <summary>Log messages of the membership table. Event ids 4030–4039.</summary>
internal static partial class HealingMembershipTableLog
{
    [LoggerMessage(4030, LogLevel.Warning, "Found the membership lost in Redis (version {Found} with {Rows} rows, known is version {Known}), and began to write it back")]
    public static partial void Heals(ILogger logger, int found, int rows, int known);

    [LoggerMessage(4031, LogLevel.Information, "Restored the membership: version {Version} with {Rows} rows")]
    public static partial void Healed(ILogger logger, int version, int rows);

    [LoggerMessage(4032, LogLevel.Warning, "Began to wait for Redis before the join: {Error}")]
    public static partial void JoinWaits(ILogger logger, string error);

    [LoggerMessage(4033, LogLevel.Warning, "The membership was not changed, {Silo} is not {Status}: {Error}")]
    public static partial void NotWritten(ILogger logger, SiloAddress silo, SiloStatus status, string error);

    [LoggerMessage(4034, LogLevel.Debug, "Left a heartbeat out: {Error}")]
    public static partial void HeartbeatLeftOut(ILogger logger, string error);
}
