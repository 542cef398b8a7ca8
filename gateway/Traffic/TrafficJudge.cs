using System.Globalization;
using Cluster.Contracts.Registry;

namespace Cluster.Gateway.Traffic;

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
