using System.Net;
using System.Security.Authentication;
using Cluster.Contracts.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>
/// The one connection of this process to Redis, which all parts share. It is made once and reconnects by itself; while it is gone, operations fail at once.
/// A start ends where Redis refuses this process; a Redis that is away may come later.
/// </summary>
internal sealed class SharedRedis(IOptions<RedisOptions> options, TimeProvider time, ILogger<SharedRedis> logger) : IHostedService, IAsyncDisposable
{
    private readonly Lock _lock = new();
    private Task<IConnectionMultiplexer>? _connecting;
    private volatile bool _disposed;

    /// <summary>The connection. Takes at most <see cref="RedisOptions.ConnectTimeout"/> at first, connected or not, and no time afterwards.</summary>
    public Task<IConnectionMultiplexer> ConnectAsync()
    {
        lock (_lock)
        {
            return _connecting ??= BeginAsync();
        }
    }

    /// <exception cref="IOException">Redis refuses the user or the password, or the TLS handshake fails.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var redis = await ConnectAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        var begin = time.GetTimestamp();
        var problem = await ProblemAsync(redis).ConfigureAwait(false);

        // Without a cause the first handshake is under way still.
        while (problem is { InnerException: null } && time.GetElapsedTime(begin) < options.Value.ConnectTimeout)
        {
            await Task.Delay(RedisConfiguration.Heartbeat, time, cancellationToken).ConfigureAwait(false);
            problem = await ProblemAsync(redis).ConfigureAwait(false);
        }

        if (problem is null)
        {
            SharedRedisLog.RedisConnected(logger, options.Value.Endpoints, options.Value.User ?? "default", options.Value.Tls ? "with TLS" : "without TLS");
            return;
        }

        if (Refusal(problem) is { } refusal)
        {
            throw new IOException(refusal, problem);
        }

        SharedRedisLog.RedisMissing(logger, options.Value.Endpoints, Innermost(problem).Message);
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        _disposed = true;
        if (_connecting is { } connecting)
        {
            await (await connecting.ConfigureAwait(false)).CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
        }
    }

    private async Task<IConnectionMultiplexer> BeginAsync()
    {
        var redis = await ConnectionMultiplexer.ConnectAsync(RedisConfiguration.Create(options.Value)).ConfigureAwait(false);
        redis.ConnectionFailed += (_, failure) => OnFailed(failure);
        redis.ConnectionRestored += (_, connection) => OnRestored(connection);

        // The client opens the connection for messages when it is first used, which fails then.
        redis.GetSubscriber().Ping(CommandFlags.FireAndForget);
        return redis;
    }

    private void OnFailed(ConnectionFailedEventArgs failure)
    {
        if (failure.ConnectionType == ConnectionType.Interactive && !_disposed)
        {
            SharedRedisLog.RedisLost(logger, failure.EndPoint, failure.FailureType, failure.Exception is { } cause ? Innermost(cause).Message : "");
        }
    }

    private void OnRestored(ConnectionFailedEventArgs connection)
    {
        if (connection.ConnectionType == ConnectionType.Interactive)
        {
            SharedRedisLog.RedisRestored(logger, connection.EndPoint);
        }
    }

    private static async Task<Exception?> ProblemAsync(IConnectionMultiplexer redis)
    {
        try
        {
            await redis.GetDatabase().PingAsync().ConfigureAwait(false);
            return null;
        }
        catch (Exception exception) when (exception is RedisException or TimeoutException or ObjectDisposedException)
        {
            return exception;
        }
    }

    /// <summary>What Redis and this process do not agree on, with the options that say it; null: something else is wrong.</summary>
    private string? Refusal(Exception exception)
    {
        var settings = options.Value;
        var causes = Causes(exception).ToList();
        if (causes.OfType<AuthenticationException>().FirstOrDefault() is { } tls)
        {
            return $"--redis-tls: the TLS handshake with Redis at {settings.Endpoints} failed: {tls.Message} (--redis-tls-ca names the authorities to trust, "
                + "--redis-tls-cert and --redis-tls-key what this process shows)";
        }

        if (!causes.OfType<RedisConnectionException>().Any(static cause => cause.FailureType == ConnectionFailureType.AuthenticationFailure))
        {
            return null;
        }

        return settings switch
        {
            { PasswordFile: null } => $"--redis-password-file: Redis at {settings.Endpoints} wants a password, and none was given",
            { User: null } => $"--redis-password-file: Redis at {settings.Endpoints} does not take the password in '{settings.PasswordFile}'",
            _ => $"--redis-user: Redis at {settings.Endpoints} does not know user '{settings.User}' with the password in '{settings.PasswordFile}' (--redis-password-file)",
        };
    }

    private static Exception Innermost(Exception exception) => Causes(exception).Last();

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }
}

/// <summary>Log messages of the connection to Redis. Event ids 4020–4029.</summary>
internal static partial class SharedRedisLog
{
    [LoggerMessage(4020, LogLevel.Information, "Connected to Redis at {Endpoints} as user '{User}', {Tls}")]
    public static partial void RedisConnected(ILogger logger, string endpoints, string user, string tls);

    [LoggerMessage(4021, LogLevel.Warning, "Redis at {Endpoints} did not answer at the start and is tried again until it does: {Error}")]
    public static partial void RedisMissing(ILogger logger, string endpoints, string error);

    [LoggerMessage(4022, LogLevel.Warning, "The connection to Redis at {Endpoint} was lost ({Failure}: {Error}): what is loaded keeps being served, nothing new is placed")]
    public static partial void RedisLost(ILogger logger, EndPoint? endpoint, ConnectionFailureType failure, string error);

    [LoggerMessage(4023, LogLevel.Information, "The connection to Redis at {Endpoint} was restored")]
    public static partial void RedisRestored(ILogger logger, EndPoint? endpoint);
}

/// <summary>Registers the connection of this process to Redis.</summary>
internal static class SharedRedisServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="Func{TResult}"/> that gives the shared <see cref="IConnectionMultiplexer"/>. Call it before what needs Redis when it starts.
    /// </summary>
    public static IServiceCollection AddSharedRedis(this IServiceCollection services, Action<RedisOptions> configure)
    {
        services.AddClusterOptions<RedisOptions>().Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<SharedRedis>();
        services.AddHostedService(static provider => provider.GetRequiredService<SharedRedis>());
        return services.AddSingleton<Func<Task<IConnectionMultiplexer>>>(static provider => provider.GetRequiredService<SharedRedis>().ConnectAsync);
    }
}
