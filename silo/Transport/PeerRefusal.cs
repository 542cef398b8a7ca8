using System.Net;
using System.Text.Json;
using Cluster.Contracts.Logging;
using Cluster.Metrics;
using Cluster.Security;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Transport;

/// <summary>Why there is no connection with a peer. The names are those of the metric's label.</summary>
internal enum PeerFault
{
    /// <summary>It is not in TLS, or the two ends do not agree on how.</summary>
    Handshake,

    /// <summary>The handshake took too long.</summary>
    Timeout,

    /// <summary>Another handshake needed its place.</summary>
    TooMany,

    /// <summary>It showed no certificate.</summary>
    NoCertificate,

    /// <summary>Its certificate is not trusted.</summary>
    UnknownAuthority,

    /// <inheritdoc cref="TrustFault.TooDeep"/>
    TooDeep,

    /// <inheritdoc cref="TrustFault.Expired"/>
    Expired,

    /// <inheritdoc cref="TrustFault.NotYetValid"/>
    NotYetValid,

    /// <inheritdoc cref="TrustFault.WrongUsage"/>
    WrongUsage,

    /// <inheritdoc cref="TrustFault.Revoked"/>
    Revoked,

    /// <inheritdoc cref="TrustFault.NoRevocationList"/>
    NoRevocationList,

    /// <inheritdoc cref="TrustFault.OutdatedRevocationList"/>
    OutdatedRevocationList,

    /// <summary>Its certificate is not that of a process of this cluster.</summary>
    WrongRole,

    /// <summary>It refused the certificate of this process.</summary>
    RefusedByPeer,
}

/// <summary>Why there is no connection with a peer.</summary>
/// <param name="Text">For the log; the peer is its subject.</param>
internal sealed record PeerRefusal(PeerFault Fault, string Text)
{
    public static PeerFault Of(TrustFault fault) => Enum.Parse<PeerFault>(fault.ToString());
}

/// <summary>Counts the peers that are refused, and logs them: one line a cause and minute. Thread-safe.</summary>
internal sealed class PeerRefusals
{
    private readonly Dictionary<PeerFault, ValueSeries> _counts;
    private readonly CauseLimiter _lines;
    private readonly ILogger _logger;

    public PeerRefusals(MetricRegistry registry, TimeProvider time, ILogger<PeerRefusals> logger)
    {
        var family = registry.Counter("cluster_peer_refusals", "Connections between processes that were refused, by reason.", "reason");
        _counts = Enum.GetValues<PeerFault>().ToDictionary(static fault => fault, fault => family.Acquire(JsonNamingPolicy.SnakeCaseLower.ConvertName(fault.ToString())));
        _lines = new CauseLimiter(time);
        _logger = logger;
    }

    /// <returns>For the caller to throw.</returns>
    public IOException Refuse(EndPoint? peer, bool isServer, PeerRefusal refusal, Exception? exception = null)
    {
        _counts[refusal.Fault].Increment();
        if (_lines.TryPass($"{refusal.Fault}", out var heldBack))
        {
            if (isServer)
            {
                PeerLog.Refused(_logger, peer, refusal.Text, heldBack);
            }
            else
            {
                PeerLog.NotConnected(_logger, peer, refusal.Text, heldBack);
            }
        }

        return new IOException($"no connection with {peer}: {refusal.Text}", exception);
    }
}

/// <summary>Log messages of TLS between processes. Event ids 1110–1119.</summary>
internal static partial class PeerLog
{
    [LoggerMessage(1110, LogLevel.Warning, "Refused a connection from {Peer}, and {HeldBack} times so since the last line: {Reason}")]
    public static partial void Refused(ILogger logger, EndPoint? peer, string reason, long heldBack);

    [LoggerMessage(1111, LogLevel.Warning, "Did not connect to {Peer}, and {HeldBack} times so since the last line: {Reason}")]
    public static partial void NotConnected(ILogger logger, EndPoint? peer, string reason, long heldBack);

    [LoggerMessage(1112, LogLevel.Warning, "Read a certificate of this process that its own --peer-ca and --peer-crl refuse: {Reason}")]
    public static partial void OwnNotTrusted(ILogger logger, string reason);
}
