using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Clustering;

/// <summary>
/// Declares silos dead whose process has ended, long before probes would. When a connection with another silo ends, and for as long as this silo joins, it asks the ports
/// of all members. A silo is dead when its port has refused twice in a row, and
/// <list type="bullet">
/// <item>this process reaches a majority of the other members and Redis; or</item>
/// <item>its heartbeat has not moved for <see cref="Stalled"/>: so many were killed at once that no majority is left; or</item>
/// <item>this silo joins, and the heartbeat has not moved for <see cref="LongStalled"/>, whether the port refuses or is silent. The whole cluster was lost with its machines.</item>
/// </list>
/// A silo that hangs accepts connections still: probes find it.
/// </summary>
internal sealed class SiloEvidence(
    IClusterMembershipService membership,
    IMembershipTable table,
    ILocalSiloDetails local,
    ConnectionEnds connections,
    AskPort askPort,
    TimeProvider time,
    ILogger<SiloEvidence> logger) : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    /// <summary>How often each silo says in the table that it lives.</summary>
    internal static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(1);

    internal static readonly TimeSpan Stalled = Heartbeat * 2.5;
    internal static readonly TimeSpan LongStalled = Heartbeat * 6;

    /// <summary>Between the two refusals. A silo that restarts in place listens again, as another.</summary>
    internal static readonly TimeSpan SecondLook = TimeSpan.FromMilliseconds(50);

    /// <summary>Between looks for as long as a member does not answer.</summary>
    internal static readonly TimeSpan NextLook = TimeSpan.FromMilliseconds(500);

    private const int RefusalsNeeded = 2;

    /// <summary>Two connections that end together cause two looks at once, which count as one.</summary>
    private static readonly TimeSpan Apart = SecondLook / 2;

    /// <summary>Orleans kills in a queue of its own, which waits for up to a minute after an error; then the row is written here.</summary>
    private const int KillsUntilOwnWrite = 3;

    private readonly Dictionary<SiloAddress, Observation> _observed = [];
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly CancellationTokenSource _stopping = new();
    private Task _running = Task.CompletedTask;

    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(SiloEvidence),
        ServiceLifecycleStage.AfterRuntimeGrainServices - 1,
        _ =>
        {
            connections.Ended += Wake;
            _running = Task.Run(() => RunAsync(_stopping.Token), CancellationToken.None);
            return Task.CompletedTask;
        },
        async _ =>
        {
            connections.Ended -= Wake;
            await _stopping.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });

    public void Dispose()
    {
        _stopping.Dispose();
        _wake.Dispose();
    }

    /// <summary>Looks once at all members.</summary>
    /// <returns>When to look again; null: when a connection ends.</returns>
    internal async Task<TimeSpan?> LookAsync(CancellationToken cancellationToken)
    {
        var snapshot = membership.CurrentSnapshot;
        var own = snapshot.GetSiloStatus(local.SiloAddress);
        if (own.IsTerminating())
        {
            return null;
        }

        var joins = own != SiloStatus.Active;
        var others = snapshot.Members.Values.Where(member => IsMember(member.Status) && !member.SiloAddress.Equals(local.SiloAddress)).Select(static member => member.SiloAddress).ToList();
        foreach (var gone in _observed.Keys.Except(others).ToList())
        {
            _observed.Remove(gone);
        }

        var answers = await Task.WhenAll(others.Select(async silo => (Silo: silo, Answer: await askPort(silo.Endpoint, cancellationToken).ConfigureAwait(false)))).ConfigureAwait(false);
        var reached = answers.Count(static answer => answer.Answer == PortAnswer.Accepts);
        foreach (var (silo, answer) in answers)
        {
            Note(silo, answer);
        }

        var missing = answers.Where(answer => answer.Answer == PortAnswer.Refuses || (joins && answer.Answer == PortAnswer.Silent)).Select(static answer => answer.Silo).ToList();
        if (missing.Count > 0)
        {
            // Of the members that the silo in question is not one of, this one included, more than half.
            await JudgeAsync(missing, joins, reachesMajority: 2 * (reached + 1) > others.Count, cancellationToken).ConfigureAwait(false);
        }

        return missing.Any(silo => _observed[silo].Refusals == 1) ? SecondLook : missing.Count > 0 || joins ? NextLook : null;
    }

    private static bool IsMember(SiloStatus status) => status is SiloStatus.Joining or SiloStatus.Active or SiloStatus.ShuttingDown or SiloStatus.Stopping;

    private void Wake()
    {
        try
        {
            _wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // A look is due anyway.
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan? next;
            try
            {
                next = await LookAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                SiloEvidenceLog.LookFailed(logger, exception);
                next = NextLook;
            }

            using var pause = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var woken = _wake.WaitAsync(pause.Token);
            await Task.WhenAny(woken, Task.Delay(next ?? Timeout.InfiniteTimeSpan, time, pause.Token)).ConfigureAwait(false);
            await pause.CancelAsync().ConfigureAwait(false);
        }
    }

    private void Note(SiloAddress silo, PortAnswer answer)
    {
        if (!_observed.TryGetValue(silo, out var observation))
        {
            _observed[silo] = observation = new Observation();
        }

        if (answer == PortAnswer.Accepts)
        {
            _observed.Remove(silo);
        }
        else if (answer == PortAnswer.Silent)
        {
            observation.Refusals = 0;
        }
        else if (observation.Refusals == 0 || time.GetElapsedTime(observation.RefusedAt) >= Apart)
        {
            observation.Refusals++;
            observation.RefusedAt = time.GetTimestamp();
        }
    }

    private async Task JudgeAsync(List<SiloAddress> missing, bool joins, bool reachesMajority, CancellationToken cancellationToken)
    {
        MembershipTableData data;
        try
        {
            data = await table.ReadAllAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            SiloEvidenceLog.NoRedis(logger, exception.Message);
            return;
        }

        foreach (var silo in missing)
        {
            var row = data.TryGet(silo);
            if (row is null || row.Item1.Status == SiloStatus.Dead)
            {
                // Another process was first.
                await membership.Refresh(new MembershipVersion(data.Version.Version), cancellationToken).ConfigureAwait(false);
                continue;
            }

            var observation = _observed[silo];
            var stalled = Stall(observation, row.Item1);
            var refuses = observation.Refusals >= RefusalsNeeded;
            if ((refuses && (reachesMajority || stalled >= Stalled)) || (joins && stalled >= LongStalled))
            {
                await KillAsync(silo, observation, data, cancellationToken).ConfigureAwait(false);
            }
            else if (refuses && !observation.Vetoed)
            {
                observation.Vetoed = true;
                SiloEvidenceLog.NoMajority(logger, silo);
            }
        }
    }

    /// <summary>How long the heartbeat has not moved, by the clock of this process alone.</summary>
    private TimeSpan Stall(Observation observation, MembershipEntry row)
    {
        if (observation.Heartbeat != row.IAmAliveTime)
        {
            observation.Heartbeat = row.IAmAliveTime;
            observation.Since = time.GetTimestamp();
        }

        return time.GetElapsedTime(observation.Since);
    }

    private async Task KillAsync(SiloAddress silo, Observation observation, MembershipTableData data, CancellationToken cancellationToken)
    {
        if (++observation.Kills == 1)
        {
            SiloEvidenceLog.Dead(logger, silo);
        }

        if (observation.Kills < KillsUntilOwnWrite)
        {
            await membership.TryKill(silo).ConfigureAwait(false);
            return;
        }

        var (entry, etag) = data.TryGet(silo)!;
        entry.Status = SiloStatus.Dead;
        entry.AddSuspector(local.SiloAddress, time.GetUtcNow().UtcDateTime);
        if (await table.UpdateRowAsync(entry, etag, data.Version.Next(), cancellationToken).ConfigureAwait(false))
        {
            await membership.Refresh(new MembershipVersion(data.Version.Version + 1), cancellationToken).ConfigureAwait(false);
        }
    }

    private sealed class Observation
    {
        public int Refusals { get; set; }

        public long RefusedAt { get; set; }

        public DateTime? Heartbeat { get; set; }

        public long Since { get; set; }

        public int Kills { get; set; }

        public bool Vetoed { get; set; }
    }
}

/// <summary>Log messages of the evidence of death. Event ids 4040–4049.</summary>
internal static partial class SiloEvidenceLog
{
    [LoggerMessage(4040, LogLevel.Warning, "Declared {Silo} dead, as its port refuses connections")]
    public static partial void Dead(ILogger logger, SiloAddress silo);

    [LoggerMessage(4041, LogLevel.Warning, "The port of {Silo} refused connections, but this silo reached no majority of the others and waits for the heartbeat of {Silo}")]
    public static partial void NoMajority(ILogger logger, SiloAddress silo);

    [LoggerMessage(4042, LogLevel.Information, "Got no answer of a silo, and could not read the membership table: {Error}")]
    public static partial void NoRedis(ILogger logger, string error);

    [LoggerMessage(4043, LogLevel.Error, "A look at the other silos failed and is repeated")]
    public static partial void LookFailed(ILogger logger, Exception exception);
}
