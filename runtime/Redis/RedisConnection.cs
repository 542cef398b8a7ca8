using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Cluster.Runtime;

/// <summary>
/// The connection of this process to Redis, and the one place where scripts run. Every change of shared state is one script,
/// which Redis runs as a whole: that is what makes compare-and-set of several keys possible.
/// <para>
/// Nothing here blocks a thread, and no operation throws because Redis is away: its outcome says so. While there is no
/// connection operations end at once; <see cref="RedisLink"/> sees to it that there is one again.
/// </para>
/// </summary>
internal sealed class RedisConnection : IDisposable
{
    private const int ReconnectMilliseconds = 500;
    private readonly RedisClusteringOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private readonly RedisLink _link;
    private volatile RedisReachability _reachability;

    public RedisConnection(IOptions<RedisClusteringOptions> options, TimeProvider time, MembershipMetrics metrics, ILogger<RedisConnection> logger)
        : this(options, time, metrics, logger, () => ConnectionMultiplexer.ConnectAsync(ToConfiguration(options.Value)))
    {
    }

    /// <param name="connect">Makes a multiplexer: the first, and those that follow it.</param>
    internal RedisConnection(
        IOptions<RedisClusteringOptions> options, TimeProvider time, MembershipMetrics metrics, ILogger<RedisConnection> logger, Func<Task<ConnectionMultiplexer>> connect)
    {
        _options = options.Value;
        _time = time;
        _logger = logger;
        _reachability = new RedisReachability(false, time.GetUtcNow());
        _link = new RedisLink(_options, time, logger, connect);
        metrics.ObserveRedis(() => _reachability.IsReachable);
    }

    /// <summary>The connection broke and is back: messages may have been missed.</summary>
    public event Action? Restored
    {
        add => _link.Restored += value;
        remove => _link.Restored -= value;
    }

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
    public ValueTask<bool> TrySubscribeAsync(string channel, Action<byte[]> received, CancellationToken cancellationToken) => _link.TrySubscribeAsync(
        new RedisChannel(channel, RedisChannel.PatternMode.Literal), (_, content) => received((byte[]?)content ?? []), cancellationToken);

    public void Dispose() => _link.Dispose();

    private async ValueTask<RedisReply> EvaluateCoreAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        var connecting = _link.Connect();
        if (await connecting.SettleAsync(_options.OperationTimeout, _time, cancellationToken) is { } failure)
        {
            return RedisReply.Failed(RedisOutcome.Unreachable, failure.Message);
        }

        var redis = connecting.Result;
        if (!redis.IsConnected)
        {
            return RedisReply.Failed(RedisOutcome.Unreachable, "no connection");
        }

        var evaluating = ScriptAsync(redis, script, keys, values);
        var error = await evaluating.SettleAsync(_options.OperationTimeout, _time, cancellationToken);
        if (error is RedisServerException && error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            // Redis was restarted or its scripts were flushed; the client now knows and sends the text again.
            evaluating = ScriptAsync(redis, script, keys, values);
            error = await evaluating.SettleAsync(_options.OperationTimeout, _time, cancellationToken);
        }

        return error switch
        {
            null => RedisReply.Done((RedisValue[]?)evaluating.Result ?? []),
            RedisServerException => RedisReply.Failed(RedisOutcome.Refused, error.Message),
            RedisConnectionException when !redis.IsConnected => RedisReply.Failed(RedisOutcome.Unknown, "the connection broke"),
            // What StackExchange.Redis 1.2.6 throws in place of its own exception where the connection goes while it looks at why there is none.
            NullReferenceException => RedisReply.Failed(RedisOutcome.Unknown, "the connection broke"),
            _ => RedisReply.Failed(RedisOutcome.Unknown, error.Message),
        };
    }

    // Asynchronous itself, so that what the client throws at once is how the operation ends.
    private async Task<RedisResult> ScriptAsync(ConnectionMultiplexer redis, string script, RedisKey[] keys, RedisValue[] values) =>
        await redis.GetDatabase(_options.Database).ScriptEvaluateAsync(script, keys, values).ConfigureAwait(false);

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
        _link.ScriptEnded(reachable);
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
