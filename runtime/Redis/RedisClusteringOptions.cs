namespace Cluster.Runtime;

/// <summary>Which Redis keeps membership, directory and states, and how long one operation may take.</summary>
public sealed class RedisClusteringOptions
{
    /// <summary>The servers, each as <c>host:port</c>; at least one. Those of a Redis Cluster need not all be named.</summary>
    public IList<string> Endpoints { get; } = [];

    /// <summary>The password; null (default): none. Never logged.</summary>
    public string? Password { get; set; }

    /// <summary>True: the connection is TLS, and the server's certificate is checked. Default false.</summary>
    public bool UseTls { get; set; }

    /// <summary>The name that the server's certificate must have; null (default): the end point's host.</summary>
    public string? TlsHost { get; set; }

    /// <summary>The number of the database. Default 0, the only one of a Redis Cluster.</summary>
    public int Database { get; set; }

    /// <summary>How long one attempt to connect may take. Default 1 s. Longer delays the next attempt.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long one operation may take. Default 1 s. Shorter calls a slow Redis gone; longer makes cold loads wait for one that is.
    /// </summary>
    public TimeSpan OperationTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// For how long nothing may have gone through a connection before another is tried beside it. Default 3 s: two attempts of the client's own to reconnect,
    /// each half a second and <see cref="ConnectTimeout"/> long. Much shorter makes connections that would have come back; longer waits for one that does not.
    /// </summary>
    public TimeSpan RenewAfter { get; set; } = TimeSpan.FromSeconds(3);
}
