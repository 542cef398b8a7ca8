using Cluster.Contracts;
using Cluster.Grains.Placement;
using Orleans.Runtime.Messaging;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Orleans has several ways to report an undelivered call. This filter turns them into the one that callers know. No call goes before a silo has told of its
/// grain classes. Orleans would place the grain by its defaults, and keep to them for as long as the process lives. A gateway may be asked for a model that early.
/// And Orleans ends a call with the silo that it was sent to. One that was forwarded from there to another activation, whose silo is lost, would wait for its
/// whole time limit. A call of a registry or an alias that a silo's death does not end within a moment counts as lost, and they call again. Gateways see to theirs.
/// </summary>
internal sealed class RejectionFilter(IClusterManifestProvider manifests, IClusterMembershipService membership, TimeProvider time) : IOutgoingGrainCallFilter
{
    /// <summary>How often a call that takes long looks for silos that died, and how long it then goes on: Orleans' own word comes within milliseconds.</summary>
    internal static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

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
        while (!await EndsAsync(call))
        {
            if (HasLost(known) && !await EndsAsync(call))
            {
                _ = call.ContinueWith(static lost => lost.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
                throw new SiloUnavailableException(Lost);
            }
        }

        await call;
    }

    private async Task<bool> EndsAsync(Task call)
    {
        await call.WaitAsync(Look, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        return call.IsCompleted;
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
