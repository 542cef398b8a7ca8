using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Cluster.Grains.Replication;
using Cluster.Silo.Clustering;
using Cluster.Silo.Options;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;

namespace Cluster.Silo.Hosting;

/// <summary>The parts that make a process a member of a cluster: the shared Redis, its Orleans silo, and its knowledge of the others.</summary>
internal static class ClusterComposition
{
    /// <summary>How often a process tells all others Orleans' figures of its load. Our grains are placed otherwise, and each telling wakes every process.</summary>
    private static readonly TimeSpan LoadFigures = TimeSpan.FromSeconds(30);

    /// <summary>The connection to Redis and the knowledge of other processes. Call it before services that need Redis when they start.</summary>
    /// <param name="options">Validated, with Redis.</param>
    public static IServiceCollection AddClusterNetwork(this IServiceCollection services, ServeOptions options)
    {
        services.AddSharedRedis(redis => Configure(redis, options));
        services.AddRedisConnection();
        services.Configure<DeploymentLoadPublisherOptions>(static publisher => publisher.DeploymentLoadPublisherRefreshTime = LoadFigures);
        services.AddSingleton<ClusterHealth>();
        services.AddSingleton<ISiloHealth>(static provider => provider.GetRequiredService<ClusterHealth>());
        services.AddHostedService(static provider => provider.GetRequiredService<ClusterHealth>());
        return services;
    }

    /// <summary>How this process takes part in the cluster.</summary>
    /// <param name="options">Validated.</param>
    /// <exception cref="IOException">This machine has no address that others could use.</exception>
    public static OrleansSilo Describe(ServeOptions options)
    {
        if (options.Redis is null)
        {
            return new OrleansSilo { ClusterId = options.ClusterId };
        }

        var bind = IPAddress.Parse(options.Bind);
        var port = options.SiloPort;
        if (port == 0)
        {
            using var listener = new TcpListener(bind, 0);
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        var address = options.Advertise is { } given
            ? IPAddress.Parse(given)
            : bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any) ? TowardsRedis(options.Redis) ?? FirstAddress() : bind;
        return new OrleansSilo
        {
            ClusterId = options.ClusterId,
            IsGateway = options.Role == ServeRole.Gateway,
            Advertised = new IPEndPoint(address, port),
            Listen = new IPEndPoint(bind, port),
            Tls = options.PeerCert is { } certificate
                ? new PeerTlsFiles(certificate, options.PeerKey!, options.PeerCa!, options.PeerCrl, options.ClusterId)
                : null,
        };
    }

    /// <summary>Which Redis.</summary>
    private static void Configure(RedisOptions redis, ServeOptions options)
    {
        redis.Endpoints = options.Redis!;
        redis.User = options.RedisUser;
        redis.PasswordFile = options.RedisPasswordFile;
        redis.Tls = options.RedisTls;
        redis.TlsCa = options.RedisTlsCa;
        redis.TlsCert = options.RedisTlsCert;
        redis.TlsKey = options.RedisTlsKey;
    }

    /// <summary>This machine's address on the way to Redis, on whose network the other processes are too. Null: it is loopback, or Redis' name is not known.</summary>
    private static IPAddress? TowardsRedis(string endpoints)
    {
        var first = endpoints.Split(',')[0];
        var colon = first.LastIndexOf(':');
        using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
        try
        {
            // Sends nothing: it asks the system for the route.
            socket.Connect(first[..colon].Trim('[', ']'), int.Parse(first.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture));
        }
        catch (SocketException)
        {
            return null;
        }

        var address = ((IPEndPoint)socket.LocalEndPoint!).Address;
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return IPAddress.IsLoopback(address) ? null : address;
    }

    private static IPAddress FirstAddress() =>
        NetworkInterface.GetAllNetworkInterfaces()
            .Where(network => network.OperationalStatus == OperationalStatus.Up && network.NetworkInterfaceType != NetworkInterfaceType.Loopback)
            .SelectMany(network => network.GetIPProperties().UnicastAddresses)
            .Select(unicast => unicast.Address)
            .OrderBy(address => address.AddressFamily)
            .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork || !address.IsIPv6LinkLocal)
        ?? throw new IOException("this machine has no address but loopback under which others could reach it; name one with --advertise");
}

/// <summary>The health of a cluster of many processes, as this one sees it.</summary>
internal sealed class ClusterHealth(IClusterMembershipService membership, RedisConnection redis) : BackgroundService, ISiloHealth
{
    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public bool IsAlone => false;

    /// <inheritdoc/>
    public bool IsStoreReachable => redis.IsReachable;

    /// <inheritdoc/>
    public IEnumerable<SiloAddress> Silos => membership.CurrentSnapshot.ModelSilos();

    /// <inheritdoc/>
    public bool IsReachable(SiloAddress silo) =>
        membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) && member.Status is SiloStatus.Active or SiloStatus.ShuttingDown;

    /// <inheritdoc/>
    public bool IsGone(SiloAddress silo) =>
        !membership.CurrentSnapshot.Members.TryGetValue(silo, out var member) || member.Status == SiloStatus.Dead;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            Changed?.Invoke();
        }
    }
}
