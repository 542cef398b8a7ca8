using Cluster.Contracts.Options;
using Cluster.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cluster.Silo.Transport;

/// <summary>Registers the transport.</summary>
public static class TransportServiceCollectionExtensions
{
    /// <summary>
    /// Has silos talk over our frames in place of Orleans' own sockets, which it registers under keys of its own. Both ends of a connection must do so.
    /// </summary>
    /// <exception cref="InvalidOperationException">Orleans registers its sockets in another way.</exception>
    public static ISiloBuilder UseFrameTransport(this ISiloBuilder silo) => silo.UseFrameTransport(tls: null);

    /// <param name="tls">Has frames travel in mutual TLS; null: over TCP as it is.</param>
    /// <inheritdoc cref="UseFrameTransport(ISiloBuilder)"/>
    internal static ISiloBuilder UseFrameTransport(this ISiloBuilder silo, PeerTlsFiles? tls)
    {
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddClusterOptions<TransportOptions>();
        if (tls is not null)
        {
            services.AddPeerTls(tls);
        }

        services.TryAddSingleton<IFrameChannelFactory, SocketChannelFactory>();
        services.ReplaceKeyed<IConnectionFactory, FrameConnectionFactory>();
        services.ReplaceKeyed<IConnectionListenerFactory, FrameConnectionListenerFactory>();
        return silo;
    }

    private static void AddPeerTls(this IServiceCollection services, PeerTlsFiles tls)
    {
        services.AddMetrics();
        services.TryAddSingleton<MetricRegistry>();
        services.AddSingleton(tls);
        services.AddSingleton<PeerTls>();
        services.AddSingleton<PeerMetrics>();
        services.AddSingleton<PeerRefusals>();
        services.AddSingleton(new PeerTlsLimits());
        services.AddSingleton<TlsChannelFactory>();
        services.AddSingleton<IFrameChannelFactory>(static provider =>
        {
            _ = provider.GetRequiredService<PeerMetrics>();
            return provider.GetRequiredService<TlsChannelFactory>();
        });
    }

    private static void ReplaceKeyed<TService, TImplementation>(this IServiceCollection services)
        where TService : class
        where TImplementation : class, TService
    {
        var registered = services.Where(static service => service.IsKeyedService && service.ServiceType == typeof(TService)).ToList();
        if (registered.Count == 0)
        {
            throw new InvalidOperationException($"Orleans has registered no {typeof(TService).Name} to replace");
        }

        foreach (var service in registered)
        {
            services.Remove(service);
            services.AddKeyedSingleton<TService, TImplementation>(service.ServiceKey);
        }
    }
}
