using Cluster.Security;

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
