using System.ComponentModel.DataAnnotations;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Cluster.Contracts.Options;
using Cluster.Security;
using StackExchange.Redis;

namespace Cluster.Silo.Clustering;

/// <summary>The connection to Redis.</summary>
[Section("Redis")]
public sealed class RedisOptions
{
    private const string ShortestTime = "00:00:00.1";
    private const string LongestTime = "00:01:00";

    /// <summary>The servers, each as <c>host:port</c>, separated by commas: one, a primary and its replicas, or some of a Redis Cluster.</summary>
    [SetBy("Cluster:Redis")]
    public string Endpoints { get; set; } = "";

    /// <summary>The ACL user; null (default): Redis' default user.</summary>
    [SetBy("Cluster:RedisUser")]
    public string? User { get; set; }

    /// <summary>A file with the password; white space around it is left out. Null (default): none.</summary>
    [SetBy("Cluster:RedisPasswordFile")]
    public string? PasswordFile { get; set; }

    /// <summary>True: the connection is TLS, and the server's certificate and its host name are checked. Default false.</summary>
    [SetBy("Cluster:RedisTls")]
    public bool Tls { get; set; }

    /// <summary>A PEM file with the authorities that alone are trusted; null (default): those of the machine.</summary>
    [SetBy("Cluster:RedisTlsCa")]
    public string? TlsCa { get; set; }

    /// <summary>A PEM file with the certificate that this process shows, which <see cref="TlsKey"/> goes with; null (default): none.</summary>
    [SetBy("Cluster:RedisTlsCert")]
    public string? TlsCert { get; set; }

    /// <summary>A PEM file with the private key of <see cref="TlsCert"/>.</summary>
    [SetBy("Cluster:RedisTlsKey")]
    public string? TlsKey { get; set; }

    /// <summary>How long an attempt to connect may take. Default 1 s. Longer delays the next attempt. Shorter never connects over a slow network.</summary>
    [Range(typeof(TimeSpan), ShortestTime, LongestTime)]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long one operation may take. Default 1 s. Shorter takes a slow Redis as gone. Longer makes cold loads wait for a Redis that hangs. A connection that brings
    /// nothing for four times this long is replaced.
    /// </summary>
    [Range(typeof(TimeSpan), ShortestTime, LongestTime)]
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(1);
}

/// <summary>Tells the client of Redis how to connect, and how to notice that it must connect again.</summary>
internal static class RedisConfiguration
{
    /// <summary>How often the client looks for answers that are late and for servers to connect with: what an operation may take longer than its time.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromMilliseconds(250);

    private const int ReconnectMilliseconds = 500;

    /// <param name="options">Validated.</param>
    /// <exception cref="IOException">A file of the options cannot be read.</exception>
    public static ConfigurationOptions Create(RedisOptions options)
    {
        var configuration = new ConfigurationOptions
        {
            AbortOnConnectFail = false,
            BacklogPolicy = BacklogPolicy.FailFast,
            ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds,
            ConnectRetry = 1,
            ReconnectRetryPolicy = new LinearRetry(ReconnectMilliseconds),
            SyncTimeout = (int)options.OperationTimeout.TotalMilliseconds,
            AsyncTimeout = (int)options.OperationTimeout.TotalMilliseconds,
            HeartbeatInterval = Heartbeat,
            // Asks each server once a second for its role, to find a silent connection, and a primary that became a replica.
            ConfigCheckSeconds = 1,
            // Neither a key nor a channel that is not the cluster's, so that an ACL can name the cluster's alone.
            TieBreaker = "",
            ConfigurationChannel = "",
            User = options.User,
            Password = options.PasswordFile is { } file ? RedisFiles.ReadPassword(file) : null,
            Ssl = options.Tls,
        };
        foreach (var text in options.Endpoints.Split(',').Distinct(StringComparer.OrdinalIgnoreCase))
        {
            configuration.EndPoints.Add(text);
        }

        if (options.Tls)
        {
            var trust = options.TlsCa is { } authorities ? Trust(authorities) : null;
            var own = options.TlsCert is { } certificate ? new X509Certificate2Collection(PemFiles.ReadPair(certificate, options.TlsKey!)) : null;
            configuration.SslClientAuthenticationOptions = host => new SslClientAuthenticationOptions
            {
                TargetHost = host,
                CertificateChainPolicy = trust,
                ClientCertificates = own,
            };
        }

        return configuration;
    }

    /// <summary>Only certificates of these authorities are good.</summary>
    private static X509ChainPolicy Trust(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.AddRange(PemFiles.ReadCertificates(file));
        return policy;
    }
}

/// <summary>Reads the files that options name for the connection to Redis.</summary>
internal static class RedisFiles
{
    /// <exception cref="IOException">It cannot be read, or is empty.</exception>
    public static string ReadPassword(string file) => File.ReadAllText(file).Trim() is { Length: > 0 } password
        ? password
        : throw new IOException($"'{file}' is empty");
}
