using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// The connection of this process to Redis, and the one place where scripts run. Every change of shared state is one script,
/// which Redis runs as a whole: that is what makes compare-and-set of several keys possible.
/// <para>
/// Nothing here blocks a thread, and no operation throws because Redis is away: its outcome says so. While there is no
/// connection operations end at once; the client reconnects by itself about once a second.
/// </para>
/// </summary>
internal sealed class RedisConnection : IDisposable
{
    private const int ReconnectMilliseconds = 500;
    private readonly RedisClusteringOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private Task<ConnectionMultiplexer>? _connecting;
    private volatile RedisReachability _reachability;
    private bool _disposed;

    public RedisConnection(IOptions<RedisClusteringOptions> options, TimeProvider time, MembershipMetrics metrics, ILogger<RedisConnection> logger)
    {
        _options = options.Value;
        _time = time;
        _logger = logger;
        _reachability = new RedisReachability(false, time.GetUtcNow());
        metrics.ObserveRedis(() => _reachability.IsReachable);
    }

    /// <summary>The connection broke and is back: messages may have been missed.</summary>
    public event Action? Restored;

    /// <summary>As of the last operation.</summary>
    public RedisReachability Reachability => _reachability;

    /// <summary>Runs a script. Its answer must be an array.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async ValueTask<RedisReply> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken = default)
    {
        var reply = await EvaluateCoreAsync(script, keys, values, cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        Observe(reply);
        return reply;
    }

    /// <summary>Calls back for each message of a channel, also after reconnects. False: there is no connection yet.</summary>
    public ValueTask<bool> TrySubscribeAsync(string channel, Action received, CancellationToken cancellationToken) =>
        TrySubscribeAsync(channel, _ => received(), cancellationToken);

    /// <inheritdoc cref="TrySubscribeAsync(string, Action, CancellationToken)"/>
    /// <param name="received">Called with the content.</param>
    public async ValueTask<bool> TrySubscribeAsync(string channel, Action<byte[]> received, CancellationToken cancellationToken)
    {
        var connecting = Connect();
        await Settle(connecting, cancellationToken);
        if (!connecting.IsCompletedSuccessfully || !connecting.Result.IsConnected)
        {
            return false;
        }

        var subscribing = connecting.Result.GetSubscriber()
            .SubscribeAsync(new RedisChannel(channel, RedisChannel.PatternMode.Literal), (_, content) => received((byte[]?)content ?? []));
        return await Settle(subscribing, cancellationToken) is null;
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        // Closing waits for sockets; nobody who stops needs to wait for that.
        _connecting?.ContinueWith(
            static done => done.Result.Close(allowCommandsToComplete: false),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion,
            TaskScheduler.Default);
    }

    private async ValueTask<RedisReply> EvaluateCoreAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        var connecting = Connect();
        if (await Settle(connecting, cancellationToken) is { } failure)
        {
            return RedisReply.Failed(RedisOutcome.Unreachable, failure.Message);
        }

        var redis = connecting.Result;
        if (!redis.IsConnected)
        {
            return RedisReply.Failed(RedisOutcome.Unreachable, "no connection");
        }

        var evaluating = Evaluate(redis, script, keys, values);
        var error = await Settle(evaluating, cancellationToken);
        if (error is RedisServerException && error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // Redis was restarted or its scripts were flushed; the client now knows and sends the text again.
            evaluating = Evaluate(redis, script, keys, values);
            error = await Settle(evaluating, cancellationToken);
        }

        return error switch
        {
            null => RedisReply.Done((RedisValue[]?)evaluating.Result ?? []),
            RedisServerException => RedisReply.Failed(RedisOutcome.Refused, error.Message),
            RedisConnectionException when !redis.IsConnected => RedisReply.Failed(RedisOutcome.Unknown, "the connection broke"),
            _ => RedisReply.Failed(RedisOutcome.Unknown, error.Message),
        };
    }

    private Task<RedisResult> Evaluate(ConnectionMultiplexer redis, string script, RedisKey[] keys, RedisValue[] values)
    {
        try
        {
            return redis.GetDatabase(_options.Database).ScriptEvaluateAsync(script, keys, values);
        }
        catch (NullReferenceException)
        {
            // What StackExchange.Redis 1.2.6 throws in place of its own exception where the connection goes while it looks at why there is none.
            return Task.FromException<RedisResult>(new IOException("the connection broke"));
        }
    }

    // Without a throw for each operation while Redis is away: exceptions are dear, and callers are many then.
    private async ValueTask<Exception?> Settle(Task operation, CancellationToken cancellationToken)
    {
        Task limited = operation.WaitAsync(_options.OperationTimeout, _time, cancellationToken);
        await limited.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (limited.IsCompletedSuccessfully)
        {
            return null;
        }

        // What comes after the time is over is nobody's; it must not become an unobserved exception.
        _ = operation.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return limited.Exception?.InnerException ?? new OperationCanceledException(cancellationToken);
    }

    private Task<ConnectionMultiplexer> Connect()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_connecting is null || _connecting.IsFaulted || _connecting.IsCanceled)
            {
                _connecting = ConnectAsync();
            }

            return _connecting;
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        var connection = await ConnectionMultiplexer.ConnectAsync(ToConfiguration(_options)).ConfigureAwait(false);
        connection.ConnectionRestored += (_, _) => Restored?.Invoke();
        return connection;
    }

    internal static ConfigurationOptions ToConfiguration(RedisClusteringOptions options)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            SyncTimeout = (int)options.OperationTimeout.TotalMilliseconds,
            ReconnectRetryPolicy = new LinearRetry(ReconnectMilliseconds),
            KeepAlive = 5,
            Password = options.Password,
            Ssl = options.UseTls,
            SslHost = options.TlsHost,
            DefaultDatabase = options.Database,
        };
        // Several parts of a process may have named the same.
        foreach (var text in options.Endpoints.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (RedisClusteringOptionsValidator.TryParse(text, out var endpoint))
            {
                configuration.EndPoints.Add(endpoint);
            }
        }

        return configuration;
    }

    private void Observe(RedisReply reply)
    {
        // An error that Redis answers with shows that it is there.
        var reachable = reply.Outcome is RedisOutcome.Done or RedisOutcome.Refused;
        if (reply.Outcome == RedisOutcome.Refused)
        {
            Log.RedisRefused(_logger, reply.Error);
        }

        if (reachable == _reachability.IsReachable)
        {
            return;
        }

        lock (_lock)
        {
            var before = _reachability;
            if (before.IsReachable == reachable)
            {
                return;
            }

            _reachability = new RedisReachability(reachable, _time.GetUtcNow());
            if (reachable)
            {
                Log.RedisReachable(_logger, _reachability.Since - before.Since);
            }
            else
            {
                Log.RedisUnreachable(_logger, reply.Error);
            }
        }
    }
}
