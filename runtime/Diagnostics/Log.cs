using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>The runtime's log messages: event ids 1000 to 1099.</summary>
internal static partial class Log
{
    [LoggerMessage(1000, LogLevel.Information, "Silo {Silo} of cluster '{ClusterId}' started with {GrainClasses} grain classes", EventName = "Started")]
    public static partial void Started(ILogger logger, SiloAddress silo, string clusterId, int grainClasses);

    [LoggerMessage(1001, LogLevel.Information, "Silo {Silo} stopped", EventName = "Stopped")]
    public static partial void Stopped(ILogger logger, SiloAddress silo);

    [LoggerMessage(1002, LogLevel.Warning, "{GrainId} did not end before the silo's stop time was over: {State}, {Requests} requests running", EventName = "NotDeactivated")]
    public static partial void NotDeactivated(ILogger logger, GrainId grainId, ActivationState state, int requests);

    // Debug: every caller gets the exception, and the grain that knows what failed has logged it.
    [LoggerMessage(1010, LogLevel.Debug, "{GrainId} could not be activated", EventName = "ActivationFailed")]
    public static partial void ActivationFailed(ILogger logger, GrainId grainId, Exception exception);

    [LoggerMessage(1011, LogLevel.Error, "{GrainId} failed in OnDeactivateAsync ({Reason})", EventName = "DeactivationFailed")]
    public static partial void DeactivationFailed(ILogger logger, GrainId grainId, DeactivationReasonCode reason, Exception exception);

    [LoggerMessage(1012, LogLevel.Debug, "{GrainId} is deactivated: {Reason}, {Description}", EventName = "Deactivated")]
    public static partial void Deactivated(ILogger logger, GrainId grainId, DeactivationReasonCode reason, string description);

    [LoggerMessage(1013, LogLevel.Error, "{GrainId} could not release what it held", EventName = "ReleaseFailed")]
    public static partial void ReleaseFailed(ILogger logger, GrainId grainId, Exception exception);

    [LoggerMessage(1014, LogLevel.Debug, "{GrainId} is active on {Silo} already; its calls go there", EventName = "DuplicateActivation")]
    public static partial void DuplicateActivation(ILogger logger, GrainId grainId, SiloAddress? silo);

    [LoggerMessage(1020, LogLevel.Error, "A timer of {GrainId} failed; it goes on", EventName = "TimerFailed")]
    public static partial void TimerFailed(ILogger logger, GrainId grainId, Exception exception);

    [LoggerMessage(1021, LogLevel.Error, "A turn of {GrainId} failed outside of any request", EventName = "TurnFailed")]
    public static partial void TurnFailed(ILogger logger, GrainId grainId, Exception exception);
}
