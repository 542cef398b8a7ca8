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
