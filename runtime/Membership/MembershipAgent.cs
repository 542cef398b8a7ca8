using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>
/// This silo's life in the cluster, along with its host's:
/// <list type="number">
/// <item>Start: Joining, once the table takes it.</item>
/// <item>Started, so everything listens: Active. From now on it says that it is alive, watches the table, and probes others.</item>
/// <item>Stopping, before anything closes: ShuttingDown, so that nothing new is placed here.</item>
/// <item>Stopped: Dead.</item>
/// </list>
/// A silo that finds itself dead before stops its host.
/// </summary>
internal sealed class MembershipAgent(
    ClusterMembershipService membership,
    FailureDetector detector,
    IMembershipTable table,
    ISiloProber prober,
    ILocalSiloDetails local,
    IOptions<ClusterMembershipOptions> options,
    TimeProvider time,
    ILogger<MembershipAgent> logger,
    IHostApplicationLifetime? host = null) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan JoinRetry = TimeSpan.FromMilliseconds(200);

    private readonly ClusterMembershipOptions _options = options.Value;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<bool> _changed = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task _loops = Task.CompletedTask;

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_options.ObserveOnly)
        {
            await membership.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await JoinAsync(cancellationToken).ConfigureAwait(false);
            detector.Start();
        }

        _ = StopHostWhenTerminatedAsync();
        _loops = Task.WhenAll(
            Run("beat", _options.IAmAliveTablePublishTimeout, _options.ObserveOnly ? ReadAsync : membership.BeatAsync),
            Run("refresh", _options.TableRefreshTimeout, ReadAsync),
            Run("probe", _options.ProbeInterval, ProbeAsync),
            WatchAsync());
    }

    public Task StartedAsync(CancellationToken cancellationToken) => SetStatusAsync(SiloStatus.Active, cancellationToken);

    public Task StoppingAsync(CancellationToken cancellationToken) => SetStatusAsync(SiloStatus.ShuttingDown, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        detector.Dispose();
        await _stop.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await SetStatusAsync(SiloStatus.Dead, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose()
    {
        detector.Dispose();
        _stop.Cancel();
    }

    private async Task JoinAsync(CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();
        while (true)
        {
            var (others, live) = await FindLivePredecessorAsync(cancellationToken).ConfigureAwait(false);
            var joining = new MembershipEntry(
                local.SiloAddress, SiloStatus.Joining, local.Name, _options.Role, [.. _options.Labels], default, ImmutableArray<Suspicion>.Empty);
            if (await membership.JoinAsync(joining, live, cancellationToken).ConfigureAwait(false) == TableUpdate.Written)
            {
                Log.LocalStatusChanged(logger, local.SiloAddress, SiloStatus.Joining, membership.View.Version);
                foreach (var silo in others)
                {
                    Log.PredecessorBuried(logger, silo);
                }

                return;
            }

            if (time.GetElapsedTime(begin) > _options.MaxJoinAttemptTime)
            {
                throw new TimeoutException($"{local.SiloAddress} could not join cluster '{local.ClusterId}' in {_options.MaxJoinAttemptTime}: Redis cannot be reached");
            }

            await Task.Delay(JoinRetry, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Runs on the same end point that the table believes to live, and the one among them that does: it answers as itself, or goes on
    /// saying in the table that it is alive.
    /// </summary>
    private async Task<(SiloAddress[] All, SiloAddress? Live)> FindLivePredecessorAsync(CancellationToken cancellationToken)
    {
        if (await membership.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } first)
        {
            return ([], null);
        }

        SiloAddress[] others =
        [
            .. first.View.Entries.Values.Where(entry => !entry.IsDead && entry.Silo.IsPredecessorOf(local.SiloAddress)).Select(static entry => entry.Silo),
        ];
        foreach (var silo in others.Where(silo => first.IsFresh(silo, _options.AliveExpiration)))
        {
            var outcome = await prober.ProbeAsync(silo, _options.ProbeTimeout, cancellationToken).ConfigureAwait(false);
            if (outcome == ProbeOutcome.Alive || (outcome == ProbeOutcome.TimedOut && await StillBeatsAsync(first, silo, cancellationToken).ConfigureAwait(false)))
            {
                return (others, silo);
            }
        }

        return (others, null);
    }

    private async Task<bool> StillBeatsAsync(TableReading first, SiloAddress silo, CancellationToken cancellationToken)
    {
        await Task.Delay(_options.AliveExpiration, time, cancellationToken).ConfigureAwait(false);
        var second = await membership.ReadAsync(cancellationToken).ConfigureAwait(false);
        return second is not null && second.LastAlive.GetValueOrDefault(silo) > first.LastAlive[silo];
    }

    private async Task SetStatusAsync(SiloStatus status, CancellationToken cancellationToken)
    {
        if (_options.ObserveOnly || membership.Terminated.IsCompleted)
        {
            return;
        }

        var done = await membership.UpdateAsync(
            reading => MembershipDecisions.SetStatus(reading.View, local.SiloAddress, status, reading.Now), cancellationToken).ConfigureAwait(false);
        if (done == TableUpdate.Written)
        {
            Log.LocalStatusChanged(logger, local.SiloAddress, status, membership.View.Version);
        }
        else if (done == TableUpdate.Unavailable && status == SiloStatus.Active)
        {
            throw new TimeoutException($"{local.SiloAddress} joined cluster '{local.ClusterId}' but could not become active: Redis cannot be reached");
        }
        else if (done == TableUpdate.Unavailable)
        {
            Log.StatusNotWritten(logger, local.SiloAddress, status);
        }
    }

    private async Task StopHostWhenTerminatedAsync()
    {
        await membership.Terminated.ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        host?.StopApplication();
    }

    private async ValueTask ReadAsync(CancellationToken cancellationToken)
    {
        var reading = await membership.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (reading is not null && !_options.ObserveOnly && MembershipDecisions.Prune(reading, _options.DefunctSiloExpiration) is not null)
        {
            await membership.UpdateAsync(now => MembershipDecisions.Prune(now, _options.DefunctSiloExpiration), cancellationToken).ConfigureAwait(false);
        }
    }

    private ValueTask ProbeAsync(CancellationToken cancellationToken)
    {
        if (!_options.ObserveOnly)
        {
            detector.Beat();
        }

        return default;
    }

    private async Task WatchAsync()
    {
        await Run("watch", JoinRetry, async token =>
        {
            if (await table.TryWatchAsync(() => _changed.Writer.TryWrite(true), token).ConfigureAwait(false))
            {
                await FollowAsync(token).ConfigureAwait(false);
            }
        }).ConfigureAwait(false);
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        await foreach (var _ in _changed.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await membership.ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task Run(string name, TimeSpan interval, Func<CancellationToken, ValueTask> step)
    {
        using var timer = new PeriodicTimer(interval, time);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false);
                await step(_stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
#pragma warning disable CA1031 // The boundary of a loop's turn.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.MembershipLoopFailed(logger, name, exception);
            }
        }
    }
}
