using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Nodes;
using Cluster.Grains.Placement;
using Cluster.Grains.Repository;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Cluster;

/// <inheritdoc cref="IControllerGrain"/>
/// <remarks>Keeps no state. Where it comes back after its silo died, it makes up for work that was not done. Silos call it at each change of the membership, so that it
/// is active.</remarks>
[ControlPlacement, KeepAlive]
internal sealed class ControllerGrain(
    IClusterMembershipService membership,
    ClusterCaretaker caretaker,
    ControllerDuty duty,
    IRepositoryWatch repository,
    RepositoryStanding standing,
    ISiloStates states,
    ClusterWorkOptions options,
    SiloDrains siloDrains,
    ILogger<ControllerGrain> logger) : Grain, IControllerGrain
{
    private ImmutableHashSet<SiloAddress> _active = [];
    private MembershipVersion _seen = MembershipVersion.MinValue;
    private IGrainTimer? _loadAhead;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        duty.Begin();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        duty.End();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async ValueTask MembershipChangedAsync(MembershipVersion version, CancellationToken cancellationToken)
    {
        await membership.Refresh(version, cancellationToken);
        if (membership.CurrentSnapshot is var snapshot && snapshot.Version <= _seen)
        {
            return;
        }

        _seen = snapshot.Version;
        var active = snapshot.ModelSilos().ToImmutableHashSet();
        if (!active.Except(_active).IsEmpty)
        {
            _loadAhead?.Dispose();
            _loadAhead = this.RegisterGrainTimer(
                static (self, token) => self.LoadAheadAsync(token), this, new GrainTimerCreationOptions(options.LoadAheadDelay, options.LoadAheadInterval));
        }

        _active = active;
        states.RemoveDead();

        // To its end, even if the silo that reported it stops.
        await caretaker.TellOfLostAsync(CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) => [.. await repository.ReloadAsync(cancellationToken)];

    /// <inheritdoc/>
    public async ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => await repository.ReadAsync(model, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<NodeDescription> DrainAsync(string silo, bool drains) => siloDrains.AskAsync(silo, drains);

    /// <inheritdoc/>
    public ValueTask<ImmutableDictionary<string, string>?> GetFingerprintsAsync() => ValueTask.FromResult(standing.HandedOver);

    /// <inheritdoc/>
    public ValueTask LeaveAsync()
    {
        DeactivateOnIdle();
        return ValueTask.CompletedTask;
    }

    private async Task LoadAheadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await caretaker.LoadAheadAsync(cancellationToken);
            await caretaker.TellOfLostAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.CaretakerFailed(logger, exception);
        }
    }
}

/// <summary>Whether the controller grain is active on this silo: what one silo does for all is done there. Two may be for a moment, after a silo was lost.</summary>
public sealed class ControllerDuty
{
    private volatile TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsHere => _begun.Task.IsCompleted;

    /// <summary>Until the duty is here; at once if it is.</summary>
    public Task WaitAsync(CancellationToken cancellationToken) => _begun.Task.WaitAsync(cancellationToken);

    internal void Begin() => _begun.TrySetResult();

    internal void End() => _begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
}

/// <summary>What is done once for the whole cluster; the key is <see cref="Key"/>.</summary>
[Alias("controller")]
internal interface IControllerGrain : IGrainWithStringKey
{
    /// <summary>The key of the one grain.</summary>
    const string Key = "0";

    /// <summary>A silo reports here that the membership has changed. Models that lost replicas know it when the call returns.</summary>
    [AlwaysInterleave, Alias("membership-changed")]
    ValueTask MembershipChangedAsync(MembershipVersion version, CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReloadAsync"/>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("reload-repository")]
    ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken);

    /// <inheritdoc cref="IRepositoryControl.ReadAsync"/>
    [ResponseTimeout("01:00:00"), AlwaysInterleave, Alias("read-model")]
    ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken);

    /// <inheritdoc cref="IClusterGrain.DrainAsync"/>
    [AlwaysInterleave, Alias("drain")]
    ValueTask<NodeDescription> DrainAsync(string silo, bool drains);

    /// <summary>Fingerprints of the repository's models that the cluster serves, by name; null before the controller's silo has read its repository.</summary>
    [AlwaysInterleave, Alias("fingerprints")]
    ValueTask<ImmutableDictionary<string, string>?> GetFingerprintsAsync();

    /// <summary>Ends the activation, so that the next call finds the controller on a silo whose repository agrees with the others'.</summary>
    [AlwaysInterleave, Alias("leave")]
    ValueTask LeaveAsync();
}

/// <summary>Tells the controller of each change of the membership that this silo sees, until it has heard. So there is a controller, wherever the former one was.</summary>
internal sealed class ControllerWatch(
    IClusterMembershipService membership, IGrainFactory grains, TimeProvider time, ILogger<ControllerWatch> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(100);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            while (!await TryTellAsync(snapshot.Version, stoppingToken).ConfigureAwait(false))
            {
                await Task.Delay(Retry, time, stoppingToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> TryTellAsync(MembershipVersion version, CancellationToken cancellationToken)
    {
        try
        {
            await grains.GetGrain<IControllerGrain>(IControllerGrain.Key).MembershipChangedAsync(version, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Its silo may be the one that is lost: the next call finds it elsewhere.
            Log.ControllerNotTold(logger, version.ToString(), exception.Message);
            return false;
        }
    }
}
