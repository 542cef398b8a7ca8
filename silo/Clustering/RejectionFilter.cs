using Cluster.Contracts;
using Cluster.Contracts.Serving;
using Cluster.Grains.Placement;
using Orleans.Runtime.Messaging;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Orleans has several ways to report an undelivered call. This filter turns them into the one that callers know. No call goes before a silo has told of its
/// grain classes. Orleans would place the grain by its defaults, and keep to them for as long as the process lives. A gateway may be asked for a model that early.
/// And it looks after calls of registries and aliases, which they repeat (<see cref="LostCalls"/>). Gateways see to theirs.
/// </summary>
internal sealed class RejectionFilter(IClusterManifestProvider manifests, IClusterMembershipService membership, TimeProvider time) : IOutgoingGrainCallFilter
{
    private const string NoSilo = "no silo can take the call now";
    private const string Lost = "the silo that had the call was lost";

    /// <summary>One of the grain classes, which every silo with models has all of.</summary>
    private static readonly GrainType Known = GrainType.Create(ClusterGrains.ReplicaType);

    private static readonly GrainType[] Askers = [GrainType.Create(ClusterGrains.RegistryType), GrainType.Create(ClusterGrains.AliasType)];

    private volatile bool _knowsGrains;

    /// <summary>How Orleans begins where a silo is lost with a call; what we throw ourselves has our words.</summary>
    private const string OrleansLoss = "The target silo became unavailable";

    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        if (!_knowsGrains && context.Grain is not ISystemTarget)
        {
            _knowsGrains = manifests.Current.Silos.Values.Any(static manifest => manifest.Grains.ContainsKey(Known));
            if (!_knowsGrains)
            {
                throw new SiloUnavailableException(NoSilo, new OrleansException("no silo has told of its grain classes yet"));
            }
        }

        try
        {
            await SendAsync(context);
        }
        catch (SiloUnavailableException exception) when (exception.Message.StartsWith(OrleansLoss, StringComparison.Ordinal))
        {
            // Without a cause, which callers take for a call that was not delivered.
            throw new SiloUnavailableException(Lost);
        }
        catch (Exception exception) when (context.Grain is not ISystemTarget && IsRejection(exception))
        {
            // Orleans' words are for the log: they name addresses and exceptions, and this text reaches clients.
            throw new SiloUnavailableException(NoSilo, exception);
        }
    }

    private Task SendAsync(IOutgoingGrainCallContext context) =>
        context.SourceId is { } source && Askers.Contains(source.Type) ? SendControlAsync(context) : context.Invoke();

    private async Task SendControlAsync(IOutgoingGrainCallContext context)
    {
        var known = membership.CurrentSnapshot;
        var call = context.Invoke();
        await LostCalls.WatchAsync(call, () => HasLost(known), time);
        await call;
    }

    private bool HasLost(ClusterMembershipSnapshot known)
    {
        var now = membership.CurrentSnapshot;
        return known.ModelSilos().Any(silo => now.GetSiloStatus(silo) is SiloStatus.Dead or SiloStatus.None);
    }

    private static bool IsRejection(Exception exception) => exception switch
    {
        SiloUnavailableException => false,
        OrleansMessageRejectionException or GatewayTooBusyException or ClientNotAvailableException or ConnectionFailedException => true,

        // That no silo can take the grain now has no type of its own.
        _ => exception.GetType() == typeof(OrleansException),
    };
}
