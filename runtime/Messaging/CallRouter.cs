using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>
/// Takes calls whose grain was not active here a moment ago: finds or chooses the grain's silo and hands the call over.
/// The call has its promise already, so every failure ends there.
/// </summary>
internal sealed class CallRouter(ActorRuntime runtime, IMessageTransport? transport)
{
    public void Route(GrainCall call)
    {
        if (call.IsAbandoned)
        {
            return;
        }

        if (runtime.Catalog.Find(call.Target) is { } activation)
        {
            activation.Receive(call);
        }
        else
        {
            _ = RouteCoreAsync(call);
        }
    }

    private async Task RouteCoreAsync(GrainCall call)
    {
        try
        {
            var silo = await runtime.Locator.LocateAsync(call.Target).ConfigureAwait(false);
            if (silo == runtime.Silo.SiloAddress)
            {
                runtime.Catalog.Receive(call);
            }
            else if (transport is not null)
            {
                transport.Send(silo, call);
            }
            else
            {
                throw new SiloUnavailableException($"{call.Target} is on {silo}, and this process has no transport to other silos");
            }
        }
#pragma warning disable CA1031 // Whatever fails is the caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            call.Fail(exception);
        }
    }
}
