using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Gateway.Traffic;

/// <summary>What a gateway measured of a rule within its window.</summary>
/// <param name="Compared">Answers of the candidate that were compared.</param>
/// <param name="Different">Those of them that differ.</param>
internal sealed record TrafficFigures(LegFigures Active, LegFigures Candidate, long Compared, long Different);

/// <summary>Figures of one of the two ways. Latencies are those of answered requests; zero where there is none.</summary>
internal sealed record LegFigures(long Answered, long Failed, TimeSpan Mean, TimeSpan P99)
{
    public long Requests => Answered + Failed;

    /// <summary>0 to 1.</summary>
    public double ErrorRate => Requests == 0 ? 0 : (double)Failed / Requests;
}

/// <summary>The way that a request goes.</summary>
internal enum TrafficLeg
{
    /// <summary>To the active model, whose answer the client gets.</summary>
    Active,

    /// <summary>To the candidate, whose answer the client gets.</summary>
    Candidate,

    /// <summary>A copy, to the candidate.</summary>
    Shadow,
}

/// <summary>How a request ended, as a rule counts it.</summary>
internal enum TrafficOutcome
{
    Success,

    /// <summary>The model or the cluster failed, or the deadline passed.</summary>
    Failure,

    /// <summary>The request was wrong: its client's fault, which counts against no model.</summary>
    Refused,

    /// <summary>Its client gave up before its deadline.</summary>
    Cancelled,
}

/// <summary>From replies to outcomes.</summary>
internal static class TrafficOutcomes
{
    /// <summary>What a token ends may be a moment early by another clock.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(20);

    /// <param name="timeout">How long the request may have taken; null for no limit.</param>
    public static TrafficOutcome Of(InferReply reply, TimeSpan? timeout, TimeSpan elapsed) => reply.Failure?.Code switch
    {
        null => TrafficOutcome.Success,
        StatusCode.InvalidArgument or StatusCode.OutOfRange or StatusCode.PermissionDenied or StatusCode.Unauthenticated => TrafficOutcome.Refused,
        StatusCode.Cancelled => elapsed + Slack >= timeout ? TrafficOutcome.Failure : TrafficOutcome.Cancelled,
        _ => TrafficOutcome.Failure,
    };
}
