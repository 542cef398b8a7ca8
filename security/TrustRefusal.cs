namespace Cluster.Security;

/// <summary>Why a peer's certificate is not trusted.</summary>
public enum TrustFault
{
    /// <summary>It leads to none of the authorities, or something on the way is not as it must be.</summary>
    UnknownAuthority,

    /// <summary>More authorities lie between it and its root than may.</summary>
    TooDeep,

    /// <summary>It, or an authority on the way, has ended.</summary>
    Expired,

    /// <summary>It, or an authority on the way, begins later.</summary>
    NotYetValid,

    /// <summary>Its extended key usage leaves out what it was shown for.</summary>
    WrongUsage,

    /// <summary>Its issuer, or one above, has revoked it or what it depends on.</summary>
    Revoked,

    /// <summary>There are revocation lists, but none of an issuer on the way.</summary>
    NoRevocationList,

    /// <summary>The revocation list of an issuer on the way is out of date.</summary>
    OutdatedRevocationList,
}

/// <summary>Why a peer's certificate is not trusted.</summary>
/// <param name="Text">For the log. It begins with the mistake, and names neither files nor the peer.</param>
public sealed record TrustRefusal(TrustFault Fault, string Text);
