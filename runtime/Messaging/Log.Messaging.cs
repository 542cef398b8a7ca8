using System.Net;
using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>Messages of the network: event ids 1100 to 1199.</summary>
internal static partial class Log
{
    [LoggerMessage(1100, LogLevel.Information, "Listening for other processes of the cluster on {Endpoint}", EventName = "Listening")]
    public static partial void Listening(ILogger logger, EndPoint? endpoint);

    [LoggerMessage(1101, LogLevel.Information, "Connected with {Silo} ({Role})", EventName = "Connected")]
    public static partial void Connected(ILogger logger, SiloAddress silo, PeerRole role);

    [LoggerMessage(1102, LogLevel.Information, "Connection with {Silo} closed: {Reason}", EventName = "Closed")]
    public static partial void Closed(ILogger logger, SiloAddress silo, string reason);

    [LoggerMessage(1103, LogLevel.Warning, "Connection with {Silo} lost: {Reason}", EventName = "Lost")]
    public static partial void Lost(ILogger logger, SiloAddress silo, string reason);

    [LoggerMessage(1104, LogLevel.Warning, "No connection with {Silo}: {Reason}", EventName = "ConnectFailed")]
    public static partial void ConnectFailed(ILogger logger, SiloAddress silo, string reason);

    [LoggerMessage(1105, LogLevel.Warning, "Refused a connection from {Endpoint}: {Reason}", EventName = "RefusedConnection")]
    public static partial void RefusedConnection(ILogger logger, EndPoint? endpoint, string reason);

    [LoggerMessage(1106, LogLevel.Error, "The silo no longer takes connections", EventName = "ListenerFailed")]
    public static partial void ListenerFailed(ILogger logger, Exception exception);

    [LoggerMessage(1107, LogLevel.Error, "The connection with {Silo} failed in an unforeseen way", EventName = "ConnectionFailed")]
    public static partial void ConnectionFailed(ILogger logger, SiloAddress silo, Exception exception);
}
