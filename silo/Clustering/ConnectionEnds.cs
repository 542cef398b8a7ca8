using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>Tells that an established connection with another silo has ended. It is middleware of Orleans' connections, whichever transport they have.</summary>
internal sealed class ConnectionEnds
{
    /// <summary>Raised for each connection, from any thread. Which silo it was is not said: an incoming connection has a port of the moment.</summary>
    public event Action? Ended;

    /// <summary>A connection has ended.</summary>
    public void Raise() => Ended?.Invoke();

    public void Observe(SiloConnectionOptions options)
    {
        options.ConfigureSiloOutboundConnection(builder => builder.Use(Observe));
        options.ConfigureSiloInboundConnection(builder => builder.Use(Observe));
    }

    private ConnectionDelegate Observe(ConnectionDelegate next) => async connection =>
    {
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            Raise();
        }
    };
}
