using System.Net;
using System.Text.Json;
using Cluster.Contracts.Logging;
using Cluster.Metrics;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Transport;

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
