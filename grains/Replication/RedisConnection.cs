using System.Diagnostics.Metrics;
using Cluster.Contracts.Logging;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using StackExchange.Redis;

namespace Cluster.Grains.Replication;

/// <summary>
/// The one place where scripts run on the process' connection to Redis. Every change of shared state is one script, which Redis runs as a whole: that is what makes
/// compare-and-set of several keys possible.
/// <para>
/// Nothing here blocks a thread, and no operation throws because Redis is away: its outcome says so. While there is no connection operations end at once; the client
/// reconnects by itself.
/// </para>
/// </summary>
internal sealed class RedisConnection
{
    private readonly ILogger _logger;
    private readonly Lazy<Task<IConnectionMultiplexer>> _redis;
    private volatile bool _reachable;
    private readonly CauseLimiter _refusals;

    /// <param name="connect">Gives the process' connection, connected or not.</param>
    public RedisConnection(Func<Task<IConnectionMultiplexer>> connect, TimeProvider time, RedisMetrics metrics, ILogger<RedisConnection> logger)
    {
        _refusals = new CauseLimiter(time);
        _logger = logger;
        _redis = new Lazy<Task<IConnectionMultiplexer>>(() => FollowAsync(connect));
        metrics.ObserveRedis(() => _reachable);
    }

    /// <summary>The connection broke and is back: messages may have been missed.</summary>
    public event Action? Restored;

    /// <summary>Whether the last script was answered, with an error or without.</summary>
    public bool IsReachable => _reachable;

    /// <summary>The addresses that this process was given, for errors.</summary>
    public async ValueTask<string> DescribeAsync() =>
        string.Join(", ", (await _redis.Value.ConfigureAwait(false)).GetEndPoints(configuredOnly: true).Select(static endpoint => endpoint.ToString()?.Split('/')[^1]));

    /// <summary>Runs a script on a server that takes writes. Its answer must be an array.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async ValueTask<RedisReply> EvaluateAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken = default)
    {
        var reply = await EvaluateCoreAsync(script, keys, values, cancellationToken).ConfigureAwait(false);
        _reachable = reply.Outcome is RedisOutcome.Done or RedisOutcome.Refused;
        if (reply.Outcome == RedisOutcome.Refused)
        {
            LogRefusal(reply);
        }

        return reply;
    }

    /// <summary>Calls back for each message of a channel, also after reconnects. False: it cannot be now.</summary>
    public ValueTask<bool> TrySubscribeAsync(string channel, Action received, CancellationToken cancellationToken) =>
        TrySubscribeAsync(channel, _ => received(), cancellationToken);

    /// <inheritdoc cref="TrySubscribeAsync(string, Action, CancellationToken)"/>
    /// <param name="received">Called with the content.</param>
    public async ValueTask<bool> TrySubscribeAsync(string channel, Action<byte[]> received, CancellationToken cancellationToken)
    {
        var name = RedisChannel.Literal(channel);
        var subscriber = (await _redis.Value.WaitAsync(cancellationToken).ConfigureAwait(false)).GetSubscriber();
        try
        {
            await subscriber.SubscribeAsync(name, Handle).WaitAsync(cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or OperationCanceledException)
        {
            // The client keeps failed subscriptions, and would call back twice after another try.
            subscriber.Unsubscribe(name, Handle, CommandFlags.FireAndForget);
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }

        void Handle(RedisChannel from, RedisValue content) => received((byte[]?)content ?? []);
    }

    /// <summary>Each cause once a minute, because refused operations are tried again many times a second.</summary>
    private void LogRefusal(RedisReply reply)
    {
        if (_refusals.TryPass(reply.Cause, out var heldBack))
        {
            Log.RedisRefused(_logger, reply.Error!, heldBack);
        }
    }

    private async Task<IConnectionMultiplexer> FollowAsync(Func<Task<IConnectionMultiplexer>> connect)
    {
        var redis = await connect().ConfigureAwait(false);
        redis.ConnectionRestored += (_, _) => Restored?.Invoke();
        return redis;
    }

    private async ValueTask<RedisReply> EvaluateCoreAsync(string script, RedisKey[] keys, RedisValue[] values, CancellationToken cancellationToken)
    {
        try
        {
            var redis = await _redis.Value.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (!redis.IsConnected)
            {
                return RedisReply.Failed(RedisOutcome.Unreachable, "no connection");
            }

            // A replica would answer with old data, so only a primary may be asked.
            var answer = await redis.GetDatabase().ScriptEvaluateAsync(script, keys, values, CommandFlags.DemandMaster).WaitAsync(cancellationToken).ConfigureAwait(false);
            return RedisReply.Done((RedisValue[]?)answer ?? []);
        }
        catch (RedisServerException exception)
        {
            return RedisReply.Failed(RedisOutcome.Refused, exception.Message);
        }
        catch (RedisTimeoutException)
        {
            return RedisReply.Failed(RedisOutcome.Unknown, "no answer in time");
        }
        catch (RedisConnectionException exception) when (exception.CommandStatus == CommandStatus.Sent)
        {
            return RedisReply.Failed(RedisOutcome.Unknown, "the connection broke");
        }
        catch (Exception exception) when (exception is RedisException or RedisCommandException or ObjectDisposedException)
        {
            return RedisReply.Failed(RedisOutcome.Unreachable, "no server that takes writes");
        }
    }
}

/// <summary>The keys of one cluster. The braces keep them on one node of a Redis Cluster, so that a script can use several.</summary>
internal sealed class RedisKeys(string clusterId)
{
    private readonly string _prefix = $"cluster:{{{clusterId}}}:";

    /// <summary>Says what changed in a replicated map.</summary>
    public string MapChannel(string map) => $"{_prefix}map/{map}/changed";

    /// <summary>The keys of a replicated map, as <see cref="ReplicaScripts"/> wants them.</summary>
    public RedisKey[] Map(string map)
    {
        var prefix = $"{_prefix}map/{map}/";
        return [prefix + "header", prefix + "sequences", prefix + "contents", prefix + "changes", prefix + "removals"];
    }
}

/// <summary>What the meter "Cluster.Redis" tells of the shared connection.</summary>
internal sealed class RedisMetrics
{
    public const string MeterName = "Cluster.Redis";

    private Func<bool> _redisReachable = static () => true;

    public RedisMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns its meters.
        var meter = meters.Create(MeterName);
#pragma warning restore CA2000
        meter.CreateObservableGauge("cluster.redis.reachable", () => _redisReachable() ? 1 : 0, "{connection}", "1 if Redis answered the last operation");
    }

    public void ObserveRedis(Func<bool> reachable) => _redisReachable = reachable;
}

/// <summary>The answer of a script, or why there is none.</summary>
internal readonly record struct RedisReply(RedisOutcome Outcome, RedisValue[] Values, string? Error)
{
    // Codes of Redis' refusals, wherever they stand in its text, and the texts for clients.
    private static readonly (string Code, string Cause)[] Refusals =
    [
        ("OOM ", "its memory is full"),
        ("READONLY ", "it is a replica"),
        ("LOADING ", "it loads its data"),
        ("MISCONF ", "it cannot save its data"),
        ("NOREPLICAS ", "it has too few replicas"),
        ("NOPERM ", "its user lacks a right"),
    ];

    public bool IsDone => Outcome == RedisOutcome.Done;

    public static RedisReply Done(RedisValue[] values) => new(RedisOutcome.Done, values, null);

    public static RedisReply Failed(RedisOutcome outcome, string error) => new(outcome, [], error);

    /// <summary>Why Redis refused it, in a few words of ours.</summary>
    public string Cause
    {
        get
        {
            var error = Error ?? "";
            return Array.Find(Refusals, refusal => error.Contains(refusal.Code, StringComparison.Ordinal)).Cause ?? "see the log";
        }
    }

    /// <summary>What a caller that cannot go on without Redis gets; it may be tried again later.</summary>
    /// <param name="what">What cannot be done, as a sentence.</param>
    public SiloUnavailableException ToException(string what) => new($"{what}: Redis {Outcome switch
    {
        RedisOutcome.Unreachable => $"is unreachable, {Error}",
        RedisOutcome.Unknown => $"does not answer, {Error}",
        _ => $"refuses it, {Cause}",
    }}");
}

/// <summary>How an operation on Redis ended.</summary>
internal enum RedisOutcome
{
    Done,

    /// <summary>There is no connection; nothing was changed.</summary>
    Unreachable,

    /// <summary>No answer in time, or the connection broke: it may have been carried out or not.</summary>
    Unknown,

    /// <summary>Redis answered with an error, such as missing rights or a full memory.</summary>
    Refused,
}

/// <summary>Registers what uses this process' connection to Redis, a <c>Func&lt;Task&lt;IConnectionMultiplexer&gt;&gt;</c> that others register.</summary>
public static class RedisConnectionServiceCollectionExtensions
{
    /// <summary>May be called several times.</summary>
    public static IServiceCollection AddRedisConnection(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<RedisMetrics>();
        services.TryAddSingleton<RedisConnection>();
        services.TryAddSingleton(static provider => new RedisKeys(provider.GetRequiredService<IOptions<ClusterOptions>>().Value.ClusterId));
        return services;
    }
}
