using System.Collections.Concurrent;
using Cluster.Runtime.CodeGeneration;

namespace Cluster.Runtime;

/// <summary>The activations of this silo. A grain has an entry from before it is brought up until everything is released.</summary>
internal sealed class Catalog(ActorRuntime runtime)
{
    private readonly ConcurrentDictionary<GrainId, Activation> _activations = new();
    private volatile bool _stopping;

    public IEnumerable<Activation> All => _activations.Select(static pair => pair.Value);

    public Activation? Find(GrainId id) => _activations.GetValueOrDefault(id);

    /// <summary>Hands a call to the grain's activation; to a new one if there is none.</summary>
    /// <exception cref="SiloUnavailableException">There is none and the silo stops.</exception>
    /// <exception cref="InvalidOperationException">This silo has no class for the grain.</exception>
    public void Receive(GrainCall call)
    {
        if (Find(call.Target) is { } existing)
        {
            existing.Receive(call);
            return;
        }

        ThrowIfStopping(call.Target);
        var added = Create(call.Target);
        var winner = _activations.GetOrAdd(call.Target, added);

        // The call first: an activation finds at least one request waiting when it is up, however short its life is.
        winner.Receive(call);
        if (ReferenceEquals(winner, added))
        {
            added.Start();
        }
    }

    public void Remove(Activation activation) => _activations.TryRemove(KeyValuePair.Create(activation.GrainId, activation));

    /// <summary>
    /// Checked in the activation's first turn once more: an activation added after <see cref="StopAsync"/> looked would
    /// otherwise live on.
    /// </summary>
    public void ThrowIfStopping(GrainId id)
    {
        if (_stopping)
        {
            throw new SiloUnavailableException($"silo {runtime.Silo.SiloAddress} is stopping and does not activate {id}");
        }
    }

    public void CollectIdle()
    {
        foreach (var activation in All)
        {
            activation.CollectIfIdle();
        }
    }

    /// <summary>Refuses new activations and ends those that are; returns early, with the rest logged, when the token says so.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        _stopping = true;
        var reason = new DeactivationReason(DeactivationReasonCode.ShuttingDown, "the silo stops");
        while (All.ToArray() is { Length: > 0 } remaining)
        {
            foreach (var activation in remaining)
            {
                activation.Deactivate(reason, cancellationToken);
            }

            try
            {
                await Task.WhenAll(remaining.Select(static activation => activation.Deactivated))
                    .WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                LogRemaining();
                return;
            }
        }
    }

    private void LogRemaining()
    {
        foreach (var activation in All)
        {
            Log.NotDeactivated(runtime.Logger, activation.GrainId, activation.State, activation.RunningRequests);
        }
    }

    private Activation Create(GrainId id) => new(
        runtime,
        runtime.Manifest.GetClass(id.Type),
        GrainAddress.NewActivationAddress(runtime.Silo.SiloAddress, id) with
        {
            MembershipVersion = runtime.Membership.CurrentSnapshot.Version,
        });
}
