using Orleans.Runtime.Messaging;

namespace Cluster.Silo.Clustering;

/// <summary>Where Orleans says in several ways that a call could not be delivered, callers are told in the one way that they know.</summary>
internal sealed class RejectionFilter : IOutgoingGrainCallFilter
{
    /// <summary>How Orleans begins where a silo is lost with a call; what we throw ourselves has our words.</summary>
    private const string OrleansLoss = "The target silo became unavailable";

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        try
        {
            await context.Invoke();
        }
        catch (SiloUnavailableException exception) when (exception.Message.StartsWith(OrleansLoss, StringComparison.Ordinal))
        {
            // Without a cause, which callers take for a call that was not delivered.
            throw new SiloUnavailableException("the silo that had the call was lost");
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
