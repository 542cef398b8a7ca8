using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Silos that start together read and write one after the other. Of two that have read the same, one would have to read again, and Orleans has it wait for two seconds or
/// more before. A turn begins with a reading, and ends with the write or by itself.
/// </summary>
/// <param name="table">The table's key in Redis.</param>
internal sealed class JoinTurn(Func<Task<IConnectionMultiplexer>> connect, RedisKey table, TimeProvider time)
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    private readonly string _token = Guid.NewGuid().ToString();
    private readonly RedisKey _key = table.Append("/turn");
    private volatile bool _joins;

    /// <summary>Whether this silo is about to join: only then it takes turns.</summary>
    public bool Joins
    {
        get => _joins;
        set => _joins = value;
    }

    /// <summary>Returns within the length of a turn, whether or not another silo has one.</summary>
    /// <exception cref="RedisException">Redis is gone.</exception>
    public async Task AwaitAsync(CancellationToken cancellationToken)
    {
        if (!_joins)
        {
            return;
        }

        var redis = (await connect().ConfigureAwait(false)).GetDatabase();
        var begin = time.GetTimestamp();
        while (!await redis.LockTakeAsync(_key, _token, Length).ConfigureAwait(false)
            && !await redis.LockExtendAsync(_key, _token, Length).ConfigureAwait(false)
            && time.GetElapsedTime(begin) < Length)
        {
            await Task.Delay(Poll, time, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task EndAsync()
    {
        if (_joins)
        {
            await (await connect().ConfigureAwait(false)).GetDatabase().LockReleaseAsync(_key, _token, CommandFlags.FireAndForget).ConfigureAwait(false);
        }
    }
}
