using System.ComponentModel.DataAnnotations;
using Cluster.Contracts.Options;

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
