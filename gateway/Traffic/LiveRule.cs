using System.Globalization;
using System.Text;
using Cluster.Contracts.Registry;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Serving;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Traffic;

/// <summary>A traffic rule at work in this gateway, with this gateway's figures. Safe from any thread.</summary>
internal sealed class LiveRule : IDisposable
{
    private readonly TrafficChance _chance;
    private readonly TrafficWindow _window;
    private readonly TrafficSeries _series;
    private readonly Lock _lock = new();
    private volatile TrafficState _state;
    private bool _isJudged;
    private bool _isOver;

    public LiveRule(string alias, TrafficState state, TrafficChance chance, TrafficMetrics metrics, TimeProvider time)
    {
        Alias = alias;
        CandidateVersion = Text(state.Rule.CandidateVersion);
        ActiveVersion = Text(state.Rule.ActiveVersion);
        _state = state;
        _chance = chance;
        _window = new TrafficWindow(state.Rule.Limits.Window, keepsLatencies: state.Rule.Limits.P99Ratio is not null, time);
        _series = new TrafficSeries(metrics, alias);
        ShowShare();
    }

    public string Alias { get; }

    public long Revision => _state.Revision;

    public TrafficRule Rule => _state.Rule;

    /// <summary>Digits; empty for the server's choice.</summary>
    public string CandidateVersion { get; }

    /// <inheritdoc cref="CandidateVersion"/>
    public string ActiveVersion { get; }

    /// <summary>Whether the candidate gets its share. This gateway ends a rule that it has judged, even if it cannot reach the alias.</summary>
    public bool IsOn => _state.IsOn && !Volatile.Read(ref _isJudged);

    /// <summary>Whether another rule, or none, has taken this one's place, or its share has ended for all gateways.</summary>
    public bool IsOver => Volatile.Read(ref _isOver) || _state.RolledBack is not null;

    /// <summary>The value of the header that the rule names; null for none.</summary>
    public string? StickyOf(IHeaderDictionary headers) =>
        Rule.StickyHeader is { } name && headers.TryGetValue(name, out var values) && values.Count > 0 ? values.ToString() : null;

    /// <summary>Whether a request is of the candidate's share.</summary>
    /// <param name="sticky">As <see cref="StickyOf"/> says.</param>
    public bool Chooses(string? sticky, in InferCall call)
    {
        if (!IsOn)
        {
            return false;
        }

        var key = sticky ?? (Rule.StickyId ? IdOf(call) : null);
        return (key is null ? _chance.Next() : TrafficChance.Of(Alias, key)) < Rule.Percent;
    }

    /// <summary>Counts a request that ended.</summary>
    /// <returns>Why the share is to end, once; else null.</returns>
    public TrafficJudgement? Ended(TrafficLeg leg, TrafficOutcome outcome, TimeSpan elapsed)
    {
        _series.Ended(leg, outcome, elapsed);
        if (outcome is TrafficOutcome.Refused or TrafficOutcome.Cancelled)
        {
            return null;
        }

        _window.Add(leg != TrafficLeg.Active, outcome == TrafficOutcome.Failure, elapsed);
        return leg == TrafficLeg.Active ? null : Judge();
    }

    /// <summary>Counts two answers that were compared.</summary>
    /// <inheritdoc cref="Ended"/>
    public TrafficJudgement? Compared(AnswerDifference difference)
    {
        _series.Compared(difference);
        _window.AddComparison(difference != AnswerDifference.None);
        return Judge();
    }

    /// <summary>Counts a copy that was not sent.</summary>
    public void Dropped() => _series.Dropped.Increment();

    /// <summary>Counts that this gateway ended the share for all.</summary>
    public void RolledBack(RollbackCause cause) => _series.RolledBack(cause);

    /// <summary>Goes on with a later state of the same rule.</summary>
    public void Follow(TrafficState state)
    {
        _state = state;
        ShowShare();
    }

    /// <summary>Ends it. Requests under way may still be counted.</summary>
    public void Dispose()
    {
        Volatile.Write(ref _isOver, true);
        _series.Dispose();
    }

    private static string Text(long? version) => version?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string? IdOf(in InferCall call)
    {
        var bytes = call.Message.Span;
        return InferRequestHeader.Scan(bytes).Id is { Length: > 0 } id ? Encoding.UTF8.GetString(id.Of(bytes)) : null;
    }

    private TrafficJudgement? Judge()
    {
        if (!IsOn || IsOver || TrafficJudge.Judge(Rule.Limits, _window.Read()) is not { } judgement)
        {
            return null;
        }

        lock (_lock)
        {
            if (_isJudged || IsOver)
            {
                return null;
            }

            Volatile.Write(ref _isJudged, true);
        }

        ShowShare();
        return judgement;
    }

    private void ShowShare()
    {
        // A rule that took the place of this one has the same series.
        if (!Volatile.Read(ref _isOver))
        {
            _series.Share.Set(IsOn ? Rule.Percent : 0);
        }
    }
}

/// <summary>That a request is for an alias with a rule.</summary>
/// <param name="Sticky">As <see cref="LiveRule.StickyOf"/> says.</param>
/// <param name="IsActiveOnly">Whether its caller may not use the candidate.</param>
internal sealed record TrafficTicket(LiveRule Rule, string? Sticky = null, bool IsActiveOnly = false);

/// <summary>Where requests stand between 0 and 100: those below a candidate's percentage are its share. Safe from any thread.</summary>
/// <param name="random">Its alone.</param>
internal sealed class TrafficChance(Random random)
{
    private const double All = 100;

    private readonly Lock _lock = new();

    /// <summary>A random place, 0 to below 100.</summary>
    public double Next()
    {
        lock (_lock)
        {
            return random.NextDouble() * All;
        }
    }

    /// <summary>
    /// The place of a key, 0 to below 100: the same at every gateway and after every start. Each alias has its own, so that not the same users try out everything.
    /// </summary>
    public static double Of(string alias, string key)
    {
        // FNV-1a (Fowler, Noll and Vo), whose high bits differ too little for keys that differ at their ends. Hence the steps of Splitmix64 (Steele, Lea and Flood, 2014).
        var hash = 0xCBF29CE484222325UL;
        Add(ref hash, alias);
        Add(ref hash, "\n");
        Add(ref hash, key);
        hash = unchecked((hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL);
        hash = unchecked((hash ^ (hash >> 27)) * 0x94D049BB133111EBUL);
        return ((hash ^ (hash >> 31)) >> 11) * (All / (1UL << 53));
    }

    private static void Add(ref ulong hash, string text)
    {
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 0x100000001B3UL);
        }
    }
}

/// <summary>Why a candidate's share is to end, with the figures.</summary>
internal sealed record TrafficJudgement(RollbackCause Cause, string Reason);

/// <summary>Compares measured figures with a rule's limits. Pure.</summary>
internal static class TrafficJudge
{
    /// <summary>The first limit that is exceeded; null for none, or where too little was measured.</summary>
    public static TrafficJudgement? Judge(TrafficLimits limits, TrafficFigures figures)
    {
        var (active, candidate) = (figures.Active, figures.Candidate);
        if (candidate.Requests >= limits.MinRequests && candidate.ErrorRate > limits.ErrorRate && candidate.ErrorRate > active.ErrorRate)
        {
            return new TrafficJudgement(RollbackCause.Errors, string.Create(
                CultureInfo.InvariantCulture,
                $"{candidate.Failed} of {candidate.Requests} requests failed, of the active model {active.Failed} of {active.Requests}; the limit is a rate of {limits.ErrorRate}"));
        }

        if (Math.Min(candidate.Answered, active.Answered) >= limits.MinRequests)
        {
            var slow = Slower("99th percentile", candidate.P99, active.P99, limits.P99Ratio) ?? Slower("mean", candidate.Mean, active.Mean, limits.MeanRatio);
            if (slow is not null)
            {
                return new TrafficJudgement(RollbackCause.Latency, slow);
            }
        }

        return figures.Compared >= limits.MinRequests && figures.Different > limits.Drift * figures.Compared
            ? new TrafficJudgement(RollbackCause.Drift, string.Create(
                CultureInfo.InvariantCulture, $"{figures.Different} of {figures.Compared} answers differ from the active model's; the limit is a share of {limits.Drift}"))
            : null;
    }

    private static string? Slower(string what, TimeSpan candidate, TimeSpan active, double? ratio) =>
        ratio is { } limit && candidate > active * limit
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"the {what} of latency is {candidate.TotalMilliseconds:0.###} ms, of the active model {active.TotalMilliseconds:0.###} ms; the limit is a ratio of {ratio}")
            : null;
}
