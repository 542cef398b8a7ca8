using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// The client's multiplexer that everything goes through, and the one that follows it.
/// <para>
/// A multiplexer reconnects by itself, about once a second. Now and then one does not: with StackExchange.Redis 1.2.6, where the machine was starved while it
/// connected for the first time, nothing went through it for half a minute although Redis answered all others. So where nothing has worked for
/// <see cref="RedisClusteringOptions.RenewAfter"/>, another is tried beside it, with the same subscriptions, and takes its place once it works.
/// </para>
/// </summary>
internal sealed class RedisLink(RedisClusteringOptions options, TimeProvider time, ILogger logger, Func<Task<ConnectionMultiplexer>> connect) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<(RedisChannel Channel, Action<RedisChannel, RedisValue> Received)> _subscriptions = [];
    private Task<ConnectionMultiplexer>? _current;
    private long? _scriptsFailSince;
    private long? _subscriptionsFailSince;
    private bool _renewing;
    private bool _disposed;

    /// <summary>There was no connection and is one again: messages may have been missed.</summary>
    public event Action? Restored;

    /// <summary>Begins to connect if nobody has, or if that failed.</summary>
    public Task<ConnectionMultiplexer> Connect()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_current is null || _current.IsFaulted || _current.IsCanceled)
            {
                _current = BeginAsync();
            }

            return _current;
        }
    }

    /// <summary>Whether a script was answered, with whatever.</summary>
    public void ScriptEnded(bool answered) => Report(ref _scriptsFailSince, answered);

    /// <summary>Calls back for each message of a channel, also through a multiplexer that follows. False: it cannot be now.</summary>
    public async ValueTask<bool> TrySubscribeAsync(RedisChannel channel, Action<RedisChannel, RedisValue> received, CancellationToken cancellationToken)
    {
        var connecting = Connect();
        var subscribed = await connecting.SettleAsync(options.OperationTimeout, time, cancellationToken) is null
            && connecting.Result.IsConnected
            && await SubscribeAsync(connecting.Result, channel, received).SettleAsync(options.OperationTimeout, time, cancellationToken) is null;
        lock (_lock)
        {
            // Another may have taken its place meanwhile.
            subscribed &= connecting == _current;
            if (subscribed)
            {
                _subscriptions.Add((channel, received));
            }
        }

        if (!cancellationToken.IsCancellationRequested)
        {
            Report(ref _subscriptionsFailSince, subscribed);
        }

        return subscribed;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        Discard(_current);
    }

    // Closing waits for sockets; nobody needs to wait for that.
    private static void Discard(Task<ConnectionMultiplexer>? connecting) => connecting?.ContinueWith(
        static done => done.Result.Close(allowCommandsToComplete: false),
        CancellationToken.None,
        TaskContinuationOptions.OnlyOnRanToCompletion,
        TaskScheduler.Default);

    private async Task<ConnectionMultiplexer> BeginAsync()
    {
        var multiplexer = await connect().ConfigureAwait(false);
        multiplexer.ConnectionRestored += (_, _) => Restored?.Invoke();
        return multiplexer;
    }

    // Asynchronous themselves, so that what the client throws at once is how the operation ends.
    private static async Task PingAsync(ConnectionMultiplexer multiplexer) => await multiplexer.GetDatabase().PingAsync().ConfigureAwait(false);

    private static async Task SubscribeAsync(ConnectionMultiplexer multiplexer, RedisChannel channel, Action<RedisChannel, RedisValue> received) =>
        await multiplexer.GetSubscriber().SubscribeAsync(channel, received).ConfigureAwait(false);

    private void Report(ref long? failSince, bool worked)
    {
        lock (_lock)
        {
            if (worked)
            {
                failSince = null;
                return;
            }

            failSince ??= time.GetTimestamp();
            if (_renewing || _disposed || time.GetElapsedTime(failSince.Value) < options.RenewAfter)
            {
                return;
            }

            _renewing = true;
        }

        _ = RenewAsync();
    }

    private async Task RenewAsync()
    {
        var next = BeginAsync();
        var renewed = await next.SettleAsync(options.RenewAfter, time) is null && await TakeOverAsync(next);
        lock (_lock)
        {
            // While Redis is away for all, one attempt a while is enough.
            _scriptsFailSince = _subscriptionsFailSince = null;
            _renewing = false;
        }

        if (renewed)
        {
            Log.RedisRenewed(logger, options.RenewAfter);
            Restored?.Invoke();
        }
        else
        {
            Discard(next);
        }
    }

    /// <summary>Whether the next multiplexer works, has every subscription, and is the current one now.</summary>
    private async Task<bool> TakeOverAsync(Task<ConnectionMultiplexer> next)
    {
        var multiplexer = next.Result;
        if (!multiplexer.IsConnected || await PingAsync(multiplexer).SettleAsync(options.OperationTimeout, time) is not null)
        {
            return false;
        }

        for (var subscribed = 0; ; subscribed++)
        {
            (RedisChannel Channel, Action<RedisChannel, RedisValue> Received) subscription;
            lock (_lock)
            {
                if (_disposed)
                {
                    return false;
                }

                if (subscribed == _subscriptions.Count)
                {
                    Discard(_current);
                    _current = next;
                    return true;
                }

                subscription = _subscriptions[subscribed];
            }

            if (await SubscribeAsync(multiplexer, subscription.Channel, subscription.Received).SettleAsync(options.OperationTimeout, time) is not null)
            {
                return false;
            }
        }
    }
}
