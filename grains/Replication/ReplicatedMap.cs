using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>
/// A replicated map over Redis.
/// <list type="number">
/// <item>A publish changes the replica, and its key is queued. One loop sends queued keys' newest values; the store takes greater sequences only,
/// counts the change, and sends it to every process, with the content.</item>
/// <item>A message changes the replicas of the others. Messages are numbered. After a gap, after a reconnect and each period a second loop asks for the entries with a
/// later change than this replica has.</item>
/// <item>The store has a life, which ends when Redis is restarted, with its data, without, or with older. A process that sees another life compares:
/// it takes what is newer there, and queues what is newer here or missing there. So nothing is lost that any one process has.</item>
/// </list>
/// </summary>
internal sealed class ReplicatedMap : IReplicatedMap, IDisposable
{
    /// <summary>Far longer than it takes while Redis answers.</summary>
    private static readonly TimeSpan MaxSending = TimeSpan.FromSeconds(2);

    private readonly RedisConnection _redis;
    private readonly ReplicaTable _table;
    private readonly RedisReplicaStore _store;
    private readonly ReplicaSender _sender;
    private readonly ReplicaFollower _follower;
    private readonly ReplicationOptions _options;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private Task _loops = Task.CompletedTask;

    public ReplicatedMap(string name, RedisConnection redis, RedisKeys keys, ReplicationOptions options, ReplicationMetrics metrics, TimeProvider time, ILogger logger)
    {
        Name = name;
        _redis = redis;
        _options = options;
        _time = time;
        _table = new ReplicaTable(name, time, logger);
        _store = new RedisReplicaStore(redis, keys, name, options.RemovalExpiration);
        _follower = new ReplicaFollower(name, _table, _store, options, metrics, time, logger);
        _sender = new ReplicaSender(name, _table, _store, _follower.CatchUp, options.RetryInterval, time, logger);
        metrics.Observe(this);
    }

    public event Action<string>? Changed
    {
        add => _table.Feed.Changed += value;
        remove => _table.Feed.Changed -= value;
    }

    public string Name { get; }

    public IEnumerable<ReplicatedEntry> All => _table.All;

    public int Count => _table.Count;

    /// <summary>Entries that are to be sent.</summary>
    public int Pending => _sender.Pending;

    public bool TryGet(string key, [NotNullWhen(true)] out ReplicatedEntry? entry)
    {
        if (_table.TryFind(key, out entry) && entry.Bytes is not null)
        {
            return true;
        }

        entry = null;
        return false;
    }

    public void Publish(string key, byte[]? content)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        if (_table.Publish(key, content))
        {
            _sender.Add(key);
        }
    }

    public async ValueTask<ReplicaWrite> WriteAsync(string key, ReplicaVersion expected, byte[]? content, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        var (life, answer) = await _store.WriteAsync(key, expected, content, cancellationToken).ConfigureAwait(false);
        if (answer.Stored is { } stored)
        {
            _table.Take(stored, life);
        }

        FollowLife(life);
        return new ReplicaWrite(answer.Accepted, answer.Stored is { Content: not null } held ? new ReplicaVersion(held.Sequence, life) : default);
    }

    public async ValueTask RefreshAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        _table.TryFind(key, out var known);

        // As it was before the read. An entry that is put back while the read is under way is in the store, though the read did not see it.
        var heldIn = known?.Life;
        var (life, stored) = await _store.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        if (stored is { } entry)
        {
            _table.Take(entry, life);
        }
        else if (known is not null && heldIn == life)
        {
            // It was there in this life: removed since, and that is forgotten too.
            _table.Drop(known);
        }

        FollowLife(life);
    }

    public async ValueTask WhenSentAsync(string key, CancellationToken cancellationToken = default)
    {
        await _sender.WhenSentAsync(key, MaxSending, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>Returns when the replica is complete, and those who listen know all of it.</summary>
    /// <exception cref="TimeoutException">Redis cannot be reached.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _store.Restored += _follower.CatchUp;
        _loops = Task.WhenAll(
            Task.Run(() => _follower.RunAsync(_sender.Add, _stop.Token), CancellationToken.None),
            Task.Run(() => _sender.RunAsync(_stop.Token), CancellationToken.None));
        try
        {
            await _follower.Loaded.WaitAsync(_options.StartTimeout, _time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"the replica of map '{Name}' was not complete in {_options.StartTimeout}: Redis at {await _redis.DescribeAsync().ConfigureAwait(false)} " +
                $"{(_redis.IsReachable ? "does not answer with what is in it" : "cannot be reached")}");
        }

        // A gateway that served before would not know models that the replica has.
        await _table.Feed.WhenToldAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _sender.WhenAllSentAsync(_options.StopTimeout, cancellationToken).ConfigureAwait(false);
        _store.Restored -= _follower.CatchUp;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose() => _stop.Cancel();

    private void FollowLife(string life)
    {
        if (life != _table.Life)
        {
            _follower.CatchUp();
        }
    }
}

/// <summary>Messages of scripts in Redis: event ids 1200 to 1209; 1200, 1201 and 1203 are retired. Messages of replicated maps: 1260 to 1279.</summary>
internal static partial class Log
{
    [LoggerMessage(1202, LogLevel.Error, "Redis refused an operation, and {HeldBack} so since the last line: {Error}", EventName = "RedisRefused")]
    public static partial void RedisRefused(ILogger logger, string error, long heldBack);

    [LoggerMessage(1260, LogLevel.Information, "The replica of map '{Map}' is complete: {Count} entries in {Elapsed}", EventName = "ReplicaLoaded")]
    public static partial void ReplicaLoaded(ILogger logger, string map, int count, TimeSpan elapsed);

    [LoggerMessage(1261, LogLevel.Warning, "Redis was restarted: of map '{Map}' this process put back {Missing} of {Count} entries", EventName = "ReplicaPutsBack")]
    public static partial void ReplicaPutsBack(ILogger logger, string map, int missing, int count);

    [LoggerMessage(1262, LogLevel.Debug, "Another process published '{Key}' of map '{Map}' later than this one", EventName = "PublishOvertaken")]
    public static partial void PublishOvertaken(ILogger logger, string key, string map);

    [LoggerMessage(1263, LogLevel.Error, "The {Loop} loop of map '{Map}' failed; it goes on", EventName = "ReplicationLoopFailed")]
    public static partial void ReplicationLoopFailed(ILogger logger, string map, string loop, Exception exception);

    [LoggerMessage(1264, LogLevel.Error, "A listener to map '{Map}' failed at key '{Key}'", EventName = "ReplicaListenerFailed")]
    public static partial void ReplicaListenerFailed(ILogger logger, string map, string key, Exception exception);

    [LoggerMessage(1265, LogLevel.Warning, "{Count} entries of map '{Map}' were not published before the stop", EventName = "ReplicaUnsent")]
    public static partial void ReplicaUnsent(ILogger logger, int count, string map);
}
