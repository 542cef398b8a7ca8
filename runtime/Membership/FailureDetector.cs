using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cluster.Runtime;

/// <summary>
/// Finds silos that have failed.
/// <list type="number">
/// <item>Examines, with probes, the silos that this one monitors at each beat; any silo as soon as a connection to it is lost, or
/// another silo suspects it.</item>
/// <item>A silo that misses enough probes in a row is judged: is it me (<see cref="SelfHealth"/>, <see cref="SuspicionJudge"/>)?</item>
/// <item>If not, this silo votes in the table; with enough votes, the silo is dead.</item>
/// </list>
/// </summary>
internal sealed class FailureDetector(
    ClusterMembershipService membership,
    ISiloProber prober,
    IOptions<ClusterMembershipOptions> options,
    TimeProvider time,
    MembershipMetrics metrics,
    ILogger<FailureDetector> logger,
    [FromKeyedServices(ClusterMembershipService.RandomKey)] Random random) : IDisposable
{
    private const int MostAsked = 16;
    private const int Intermediaries = 2;

    private readonly ClusterMembershipOptions _options = options.Value;
    private readonly SelfHealth _health = new(time, options.Value.ProbeInterval, options.Value.ProbeTimeout);
    private readonly ConcurrentDictionary<(SiloAddress Silo, Occasion Why), Task> _running = new();
    private readonly ConcurrentDictionary<SiloAddress, long> _missedSince = new();
    private readonly CancellationTokenSource _stop = new();

    private enum Occasion
    {
        Beat,
        ConnectionLost,
        SuspectedByOthers,
    }

    private bool IsJudge => membership.View.Find(membership.Self) is { Status: SiloStatus.Active } && !_stop.IsCancellationRequested;

    /// <summary>Listens for lost connections and for the suspicions of others.</summary>
    public void Start()
    {
        prober.ConnectionLost += OnConnectionLost;
        membership.Changed += OnChanged;
    }

    /// <summary>Begins an examination of each monitored silo that has none. Returns those, for tests.</summary>
    public Task[] Beat()
    {
        if (_health.Tick() is { } lag)
        {
            Log.SelfDoubt(logger, lag, _health.Doubt);
        }

        var view = membership.View;
        foreach (var gone in _missedSince.Keys.Where(view.IsDead))
        {
            _missedSince.TryRemove(gone, out _);
        }

        return [.. MembershipDecisions.Monitored(view, membership.Self, _options.NumProbedSilos).Select(silo => Examine(silo, Occasion.Beat))];
    }

    public void Dispose()
    {
        prober.ConnectionLost -= OnConnectionLost;
        membership.Changed -= OnChanged;
        _stop.Cancel();
    }

    private void OnConnectionLost(SiloAddress silo) => Examine(silo, Occasion.ConnectionLost);

    private void OnChanged()
    {
        var view = membership.View;
        foreach (var entry in view.Entries.Values.Where(entry => entry.IsServing && entry.Suspicions.Length > 0))
        {
            if (entry.Silo != membership.Self && entry.Suspicions.All(vote => vote.By != membership.Self))
            {
                Examine(entry.Silo, Occasion.SuspectedByOthers);
            }
        }
    }

    // One at a time for each silo and occasion: a lost connection must not wait for the time-out of a probe that began before.
    private Task Examine(SiloAddress silo, Occasion why)
    {
        if (!IsJudge || silo == membership.Self || membership.View.Find(silo) is not { IsServing: true })
        {
            return Task.CompletedTask;
        }

        var begin = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var task = ExamineAsync(begin.Task, silo, why);
        if (_running.TryAdd((silo, why), task))
        {
            begin.SetResult();
            return task;
        }

        begin.SetCanceled();
        return _running.TryGetValue((silo, why), out var running) ? running : Task.CompletedTask;
    }

    private async Task ExamineAsync(Task begin, SiloAddress silo, Occasion why)
    {
        await begin.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        if (begin.IsCanceled)
        {
            return;
        }

        try
        {
            await ExamineCoreAsync(silo, why).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            _missedSince.TryRemove(silo, out _);
        }
#pragma warning disable CA1031 // The boundary of an examination; the next beat begins another.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.MembershipLoopFailed(logger, "probe", exception);
        }
        finally
        {
            _running.TryRemove((silo, why), out _);
        }
    }

    private async Task ExamineCoreAsync(SiloAddress silo, Occasion why)
    {
        // A lost connection, or another's suspicion, is the first miss.
        var needed = why == Occasion.Beat ? _options.NumMissedProbesLimit : 1;
        for (var misses = 1; ; misses++)
        {
            var outcome = await prober.ProbeAsync(silo, _options.ProbeTimeout, _stop.Token).ConfigureAwait(false);
            if (outcome == ProbeOutcome.Alive)
            {
                _missedSince.TryRemove(silo, out _);
                return;
            }

            metrics.ProbeMissed(outcome);
            Log.ProbeMissed(logger, silo, outcome, misses);
            _missedSince.TryAdd(silo, time.GetTimestamp());

            // A lost connection to a silo that then does not answer at all is no closed port: it gets the usual number of probes.
            var limit = why == Occasion.ConnectionLost && outcome == ProbeOutcome.TimedOut ? _options.NumMissedProbesLimit : needed;
            if (misses >= limit)
            {
                await AccuseAsync(silo, outcome).ConfigureAwait(false);
                return;
            }
        }
    }

    private async Task AccuseAsync(SiloAddress silo, ProbeOutcome outcome)
    {
        var verdict = await JudgeAsync(silo, outcome).ConfigureAwait(false);
        if (verdict is null || !IsJudge)
        {
            return;
        }

        if (verdict != SuspicionVerdict.Vote)
        {
            metrics.VoteWithheld(verdict.Value);
            Log.VoteWithheld(logger, silo, verdict.Value);
            return;
        }

        await VoteAsync(silo).ConfigureAwait(false);
    }

    /// <summary>Null: the table cannot be reached, so nobody can be voted out.</summary>
    private async Task<SuspicionVerdict?> JudgeAsync(SiloAddress silo, ProbeOutcome outcome)
    {
        if (_health.IsInDoubt)
        {
            return SuspicionVerdict.SelfSlow;
        }

        if (await membership.ReadAsync(_stop.Token).ConfigureAwait(false) is not { } reading)
        {
            return null;
        }

        SiloAddress[] others =
        [
            .. reading.View.Entries.Values
                .Where(entry => entry.Status == SiloStatus.Active && entry.Silo != silo && entry.Silo != membership.Self && Lives(reading, entry.Silo))
                .Select(static entry => entry.Silo),
        ];
        Shuffle(others);
        others = [.. others.Take(MostAsked)];
        var through = outcome == ProbeOutcome.Replaced ? [] : others.Take(Intermediaries).ToArray();
        var indirect = Task.WhenAll(through.Select(other => prober.ProbeThroughAsync(other, silo, _options.ProbeTimeout, _stop.Token).AsTask()));
        var direct = await Task.WhenAll(others.Select(other => prober.ProbeAsync(other, _options.ProbeTimeout, _stop.Token).AsTask())).ConfigureAwait(false);
        var answersOthers = (await indirect.ConfigureAwait(false)).Contains(ProbeOutcome.Alive);
        var answers = others.Zip(direct, static (other, result) => KeyValuePair.Create(other, result == ProbeOutcome.Alive)).ToArray();
        var lives = outcome == ProbeOutcome.TimedOut && Lives(reading, silo);
        return _health.IsInDoubt ? SuspicionVerdict.SelfSlow : SuspicionJudge.Judge(membership.Self, silo, lives, answers, answersOthers);
    }

    // Signs of life are old for all when the table was out of reach: only what was missed since then counts.
    private bool Lives(TableReading reading, SiloAddress silo) =>
        membership.ReachableFor < _options.AliveExpiration || reading.IsFresh(silo, _options.AliveExpiration);

    private async Task VoteAsync(SiloAddress silo)
    {
        int needed = 0, votes = 0;
        var done = await membership.UpdateAsync(
            reading =>
            {
                var alive = membership.ReachableFor < _options.AliveExpiration ? TimeSpan.MaxValue : _options.AliveExpiration;
                needed = MembershipDecisions.VotesNeeded(reading, silo, membership.Self, alive, _options.NumVotesForDeathDeclaration);
                var next = MembershipDecisions.Vote(reading.View, membership.Self, silo, needed, _options.DeathVoteExpirationTimeout, reading.Now);
                votes = next?.Find(silo)?.Suspicions.Length ?? 0;
                return next is null || (!next.IsDead(silo) && HasVoted(reading, silo)) ? null : next;
            },
            _stop.Token).ConfigureAwait(false);
        if (done != TableUpdate.Written)
        {
            return;
        }

        metrics.Voted();
        Log.Suspected(logger, silo, votes, needed);
        if (membership.View.IsDead(silo) && _missedSince.TryRemove(silo, out var since))
        {
            var elapsed = time.GetElapsedTime(since);
            metrics.Removed(elapsed);
            Log.DeclaredDead(logger, silo, elapsed);
        }
    }

    // A vote is renewed when half of its time is over, not at each beat: every write is a new version for all.
    private bool HasVoted(TableReading reading, SiloAddress silo) => MembershipDecisions
        .FreshVotes(reading.View, reading.View.Find(silo)!, _options.DeathVoteExpirationTimeout / 2, reading.Now)
        .Any(vote => vote.By == membership.Self);

    private void Shuffle(SiloAddress[] silos)
    {
        lock (random)
        {
            random.Shuffle(silos);
        }
    }
}
