using Orleans.Runtime.Messaging;

namespace Cluster.Silo.Clustering;

/// <summary>Where Orleans says in several ways that a call could not be delivered, callers are told in the one way that they know.</summary>
internal sealed class RejectionFilter : IOutgoingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (Exception exception) when (context.Grain is not ISystemTarget && IsRejection(exception))
        {
            // Orleans' words are for the log: they name addresses and exceptions, and this text reaches clients.
            throw new SiloUnavailableException("no silo can take the call now", exception);
        }
    }

    private static bool IsRejection(Exception exception) => exception switch
    {
        SiloUnavailableException => false,
        OrleansMessageRejectionException or GatewayTooBusyException or ClientNotAvailableException or ConnectionFailedException => true,

        // That no silo can take the grain now has no type of its own.
        _ => exception.GetType() == typeof(OrleansException),
    };
}
