using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>
/// Keeps directory and cache right when the membership changes: forgets the dead, and after a loss puts back what this silo holds.
/// What another silo holds with a larger epoch is deactivated here.
/// </summary>
internal sealed class DirectoryKeeper(
    ClusterMembershipService membership,
    RedisGrainDirectory directory,
    GrainLocator locator,
    ActorRuntime runtime,
    IOptions<ClusterMembershipOptions> options,
    TimeProvider time,
    ILogger<DirectoryKeeper> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(100);
    private readonly HashSet<SiloAddress> _swept = [];
    private bool _othersUnsettled;
    private bool _waited;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var _ in membership.MembershipUpdates.WithCancellation(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await KeepAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of a loop's turn.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.MembershipLoopFailed(logger, "directory", exception);
            }
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        locator.ForgetDead();
        while (membership.View.Unsettled.Contains(membership.Self) && !membership.Terminated.IsCompleted)
        {
            if (!await TrySettleAsync(cancellationToken).ConfigureAwait(false))
            {
                await Task.Delay(Retry, time, cancellationToken).ConfigureAwait(false);
            }
        }

        // A larger epoch may have replaced what was put back early: look again when the last silo is done.
        var unsettled = membership.View.Unsettled.Count > 0;
        if (_othersUnsettled && !unsettled)
        {
            await PutBackAsync(cancellationToken).ConfigureAwait(false);
        }

        _othersUnsettled = unsettled;
        await SweepAsync().ConfigureAwait(false);
    }

    private async Task<bool> TrySettleAsync(CancellationToken cancellationToken)
    {
        if (membership.MadeTable && !_waited)
        {
            _waited = true;
            await Task.Delay(options.Value.NewTableSettleTime, time, cancellationToken).ConfigureAwait(false);
        }

        _othersUnsettled = true;
        var incarnation = membership.View.Incarnation;
        if (!await PutBackAsync(cancellationToken).ConfigureAwait(false))
        {
            return false;
        }

        var done = await membership.UpdateAsync(
            reading => reading.View.Incarnation == incarnation ? MembershipDecisions.Settle(reading.View, membership.Self) : null,
            cancellationToken).ConfigureAwait(false);
        return done == TableUpdate.Written;
    }

    private async Task<bool> PutBackAsync(CancellationToken cancellationToken)
    {
        var held = runtime.Catalog.All.Where(static activation => activation.Address.LoadEpoch > 0 && !activation.HasEnded).ToArray();
        var winners = await directory.PutBackAsync([.. held.Select(static activation => activation.Address)], cancellationToken).ConfigureAwait(false);
        if (winners is null)
        {
            return false;
        }

        foreach (var winner in winners)
        {
            locator.Learn(winner);
            runtime.Catalog.Find(winner.GrainId)?.Deactivate(new DeactivationReason(
                DeactivationReasonCode.DuplicateActivation, $"{winner} holds it with epoch {winner.LoadEpoch}"), cancellationToken);
        }

        if (held.Length > 0)
        {
            Log.DirectoryPutBack(logger, held.Length - winners.Count, winners.Count);
        }

        return true;
    }

    // One silo is enough, the one with the smallest address; what it misses is in nobody's way and goes with the next death.
    private async Task SweepAsync()
    {
        var view = membership.View;
        var dead = view.Entries.Values.Where(static entry => entry.IsDead).Select(static entry => entry.Silo).ToArray();
        _swept.IntersectWith(dead);
        var first = view.Entries.Values.FirstOrDefault(static entry => entry.Status == SiloStatus.Active)?.Silo;
        if (first == membership.Self && dead.Any(silo => !_swept.Contains(silo)))
        {
            await directory.UnregisterSilos([]).ConfigureAwait(false);
            _swept.UnionWith(dead);
        }
    }
}
