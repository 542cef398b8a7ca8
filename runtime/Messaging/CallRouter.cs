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

    /// <summary>Takes a call whose grain is, or is to be, on this silo.</summary>
    public void RouteHere(GrainCall call)
    {
        try
        {
            runtime.Catalog.Receive(call);
        }
#pragma warning disable CA1031 // Whatever fails is the caller's.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            call.Fail(exception);
        }
    }

    private async Task RouteCoreAsync(GrainCall call)
    {
        try
        {
            if (call.Incoming is { } incoming)
            {
                await RouteIncomingAsync(call, incoming).ConfigureAwait(false);
                return;
            }

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

    // A silo does not forward: it tells the caller where to go, so that the caller's next call goes there at once. It does not
    // choose another place either, unless it is asked to, because that place would choose again.
    private async Task RouteIncomingAsync(GrainCall call, IncomingCall incoming)
    {
        var local = runtime.Silo.SiloAddress;
        var registered = await runtime.Directory.Lookup(call.Target).ConfigureAwait(false);
        if (registered?.SiloAddress is { } owner && runtime.Membership.CurrentSnapshot.GetSiloStatus(owner) == SiloStatus.Dead)
        {
            registered = null;
        }

        if (registered?.SiloAddress is { } other && other != local)
        {
            call.Fail(new WrongSiloException(registered));
            return;
        }

        if (incoming.MayPlace && registered is null)
        {
            var chosen = await runtime.Locator.PlaceAsync(call.Target).ConfigureAwait(false);
            if (chosen != local)
            {
                call.Fail(new WrongSiloException(new GrainAddress { GrainId = call.Target, SiloAddress = chosen }));
                return;
            }
        }

        runtime.Catalog.Receive(call);
    }
}
