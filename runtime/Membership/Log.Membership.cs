using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>Messages of membership and directory: event ids 1210 to 1249.</summary>
internal static partial class Log
{
    [LoggerMessage(1210, LogLevel.Information, "{Silo} is {Status}, membership version {Version}", EventName = "LocalStatusChanged")]
    public static partial void LocalStatusChanged(ILogger logger, SiloAddress silo, SiloStatus status, long version);

    [LoggerMessage(1211, LogLevel.Information, "Membership version {Version}: {Members}", EventName = "MembershipChanged")]
    public static partial void MembershipChanged(ILogger logger, long version, string members);

    [LoggerMessage(1212, LogLevel.Warning, "The membership table was lost or set back: this silo puts back what it knows as version {Version}", EventName = "MembershipRestored")]
    public static partial void MembershipRestored(ILogger logger, long version);

    [LoggerMessage(1213, LogLevel.Critical, "{Silo} is dead to the cluster ({Reason}) and stops", EventName = "Terminated")]
    public static partial void Terminated(ILogger logger, SiloAddress silo, string reason);

    [LoggerMessage(1214, LogLevel.Information, "{Silo} was a run before on the same end point; it is dead now", EventName = "PredecessorBuried")]
    public static partial void PredecessorBuried(ILogger logger, SiloAddress silo);

    [LoggerMessage(1215, LogLevel.Warning, "{Silo} cannot tell the cluster that it is {Status}: Redis is away", EventName = "StatusNotWritten")]
    public static partial void StatusNotWritten(ILogger logger, SiloAddress silo, SiloStatus status);

    [LoggerMessage(1220, LogLevel.Debug, "Probe of {Silo}: {Outcome}, {Misses} in a row", EventName = "ProbeMissed")]
    public static partial void ProbeMissed(ILogger logger, SiloAddress silo, ProbeOutcome outcome, int misses);

    [LoggerMessage(1221, LogLevel.Warning, "{Silo} is suspected: {Votes} of {Needed} votes", EventName = "Suspected")]
    public static partial void Suspected(ILogger logger, SiloAddress silo, int votes, int needed);

    [LoggerMessage(1222, LogLevel.Warning, "{Silo} is declared dead {Elapsed} after it was first suspected", EventName = "DeclaredDead")]
    public static partial void DeclaredDead(ILogger logger, SiloAddress silo, TimeSpan elapsed);

    [LoggerMessage(1223, LogLevel.Warning, "{Silo} does not answer this silo, but no vote is given: {Verdict}", EventName = "VoteWithheld")]
    public static partial void VoteWithheld(ILogger logger, SiloAddress silo, SuspicionVerdict verdict);

    [LoggerMessage(1224, LogLevel.Warning, "This silo's own timer was {Lag} late; it trusts its probes again in {Doubt}", EventName = "SelfDoubt")]
    public static partial void SelfDoubt(ILogger logger, TimeSpan lag, TimeSpan doubt);

    [LoggerMessage(1230, LogLevel.Error, "The {Loop} loop of the membership failed; it goes on", EventName = "MembershipLoopFailed")]
    public static partial void MembershipLoopFailed(ILogger logger, string loop, Exception exception);

    [LoggerMessage(1240, LogLevel.Information, "{Count} directory entries put back, {Lost} are held elsewhere with a higher epoch", EventName = "DirectoryPutBack")]
    public static partial void DirectoryPutBack(ILogger logger, int count, int lost);

    [LoggerMessage(1241, LogLevel.Debug, "The directory entry of {GrainId} stays behind: {Error}", EventName = "UnregisterFailed")]
    public static partial void UnregisterFailed(ILogger logger, GrainId grainId, string? error);

    [LoggerMessage(1242, LogLevel.Information, "{Count} directory entries of dead silos removed", EventName = "DirectorySwept")]
    public static partial void DirectorySwept(ILogger logger, long count);
}
