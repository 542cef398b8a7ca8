using Cluster.Contracts.Options;
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
    public static ISiloBuilder UseFrameTransport(this ISiloBuilder silo)
    {
        var services = silo.Services;
        services.TryAddSingleton(TimeProvider.System);
        services.AddClusterOptions<TransportOptions>();
        services.TryAddSingleton<IFrameChannelFactory, SocketChannelFactory>();
        services.ReplaceKeyed<IConnectionFactory, FrameConnectionFactory>();
        services.ReplaceKeyed<IConnectionListenerFactory, FrameConnectionListenerFactory>();
        return silo;
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
