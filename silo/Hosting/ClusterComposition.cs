using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Cluster.Contracts.Serving;
using Cluster.Silo.Clustering;
using Cluster.Silo.Options;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Silo.Hosting;

/// <summary>What makes a process one of many: the shared Redis, the connections to the others, and what is known of them.</summary>
internal static class ClusterComposition
{
    /// <param name="options">Validated, with Redis.</param>
    public static IServiceCollection AddClusterNetwork(this IServiceCollection services, ServeOptions options)
    {
        services.AddSharedRedis(redis => Configure(redis, options));
        services.UseRedisClustering();
        services.AddClusterMessaging(messaging => messaging.ListenEndpoint = new IPEndPoint(IPAddress.Parse(options.Bind), options.SiloPort));
        services.AddSingleton<ClusterHealth>();
        services.AddSingleton<ISiloHealth>(static provider => provider.GetRequiredService<ClusterHealth>());
        services.AddHostedService(static provider => provider.GetRequiredService<ClusterHealth>());
        return services;
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

    /// <summary>Where others reach this process; a silo port of 0 becomes a free one.</summary>
    /// <exception cref="IOException">This machine has no address that others could use.</exception>
    public static IPEndPoint Advertised(ServeOptions options)
    {
        if (options.SiloPort == 0)
        {
            using var listener = new TcpListener(IPAddress.Parse(options.Bind), 0);
            listener.Start();
            options.SiloPort = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        var bind = IPAddress.Parse(options.Bind);
        var address = options.Advertise is { } given
            ? IPAddress.Parse(given)
            : bind.Equals(IPAddress.Any) || bind.Equals(IPAddress.IPv6Any) ? FirstAddress() : bind;
        return new IPEndPoint(address, options.SiloPort);
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
