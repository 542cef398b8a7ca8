using Microsoft.AspNetCore.Connections;
using Orleans.Configuration;

namespace Cluster.Silo.Clustering;

/// <summary>Tells that an established connection with another silo has ended. It is middleware of Orleans' connections, whichever transport they have.</summary>
internal sealed class ConnectionEnds(TimeProvider time)
{
    /// <summary>An incoming connection that ends sooner was a look of another process at this port, and not one with a silo. Looks would cause looks for ever.</summary>
    internal static readonly TimeSpan ShortestIncoming = TimeSpan.FromMilliseconds(250);

    /// <summary>Raised for each connection, from any thread. Which silo it was is not said: an incoming connection has a port of the moment.</summary>
    public event Action? Ended;

    /// <summary>A connection has ended.</summary>
    public void Raise() => Ended?.Invoke();

    public void Observe(SiloConnectionOptions options)
    {
        options.ConfigureSiloOutboundConnection(builder => builder.Use(next => Observe(next, TimeSpan.Zero)));
        options.ConfigureSiloInboundConnection(builder => builder.Use(next => Observe(next, ShortestIncoming)));
    }

    private ConnectionDelegate Observe(ConnectionDelegate next, TimeSpan shortest) => async connection =>
    {
        var begin = time.GetTimestamp();
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            if (time.GetElapsedTime(begin) >= shortest)
            {
                Raise();
            }
        }
    };
}
