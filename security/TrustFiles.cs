using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;

namespace Cluster.Security;

/// <summary>
/// Says whether a peer's certificate is trusted, only by the authorities of a PEM file and by their revocation lists. Both are read again when they change. Files that
/// cannot be used are logged, and the former content stays in force. No check uses the network. Safe from any thread.
/// </summary>
public sealed class TrustFiles : IDisposable
{
    /// <summary>The most authorities between a certificate and its root, unless said otherwise.</summary>
    public const int DefaultDepth = 3;

    private readonly string _authorities;
    private readonly string? _revocations;
    private readonly TimeProvider _time;
    private readonly int _depth;
    private readonly WatchedFiles _files;
    private volatile TrustState _state;

    /// <param name="authorities">Root certificates, and those between them and peers that the peers do not send.</param>
    /// <param name="revocations">
    /// Revocation lists, PEM or one in DER. Null: none is asked. With a file, each certificate below a root needs a list of its issuer that is not out of date.
    /// </param>
    /// <param name="depth">The most authorities between a certificate and its root.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">A file does not hold what it should.</exception>
    public TrustFiles(string authorities, string? revocations, TimeProvider time, ILogger logger, int depth = DefaultDepth)
    {
        _authorities = authorities;
        _revocations = revocations;
        _time = time;
        _depth = depth;
        // Looked at before they are read: no change is missed.
        _files = new WatchedFiles(revocations is null ? [authorities] : [authorities, revocations], () => _state = Read(), time, logger);
        try
        {
            _state = Read();
        }
        catch
        {
            _files.Dispose();
            throw;
        }
    }

    /// <summary>When the first revocation list is out of date; null without lists.</summary>
    public DateTimeOffset? RevocationsEnd => _state.Revocations?.Lists.Min(static list => list.NextUpdate);

    /// <summary>What an <c>SslStream</c> is given before <see cref="Check"/> decides: it trusts none by itself and fetches nothing that a peer names.</summary>
    public static X509ChainPolicy NoPolicy() => new()
    {
        TrustMode = X509ChainTrustMode.CustomRootTrust,
        RevocationMode = X509RevocationMode.NoCheck,
        DisableCertificateDownloads = true,
    };

    /// <summary>Reads a file of revocation lists, to see whether it can be used.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="CryptographicException">It holds no list, or one that is not understood.</exception>
    public static bool IsRevocations(string file) => RevocationLists.Read(file).Lists.Count > 0;

    /// <param name="others">Certificates that the peer sent with it.</param>
    /// <returns>Null: it is trusted.</returns>
    public TrustRefusal? Check(X509Certificate2 certificate, X509Certificate2Collection? others, CertificateUse use)
    {
        var state = _state;
        var now = _time.GetUtcNow();
        using var chain = new X509Chain { ChainPolicy = NoPolicy() };
        chain.ChainPolicy.VerificationTime = now.LocalDateTime;
        chain.ChainPolicy.CustomTrustStore.AddRange(state.Authorities);
        chain.ChainPolicy.ApplicationPolicy.Add(use.Oid());
        if (others is not null)
        {
            chain.ChainPolicy.ExtraStore.AddRange(others);
        }

        var isTrusted = chain.Build(certificate);
        try
        {
            return TooDeep(chain) ?? (isTrusted ? null : Explain(chain, now)) ?? state.Revocations?.Check(chain, now);
        }
        finally
        {
            foreach (var element in chain.ChainElements)
            {
                element.Certificate.Dispose();
            }
        }
    }

    public void Dispose() => _files.Dispose();

    private TrustRefusal? TooDeep(X509Chain chain)
    {
        var between = chain.ChainElements.Count - 2;
        return between > _depth ? new TrustRefusal(TrustFault.TooDeep, $"too deep: {between} authorities lie between it and its root, at most {_depth} may") : null;
    }

    /// <summary>The worst of several mistakes. An unknown authority says more than a date.</summary>
    private static TrustRefusal Explain(X509Chain chain, DateTimeOffset now)
    {
        var all = chain.ChainElements.Aggregate(X509ChainStatusFlags.NoError, static (flags, element) => element.ChainElementStatus.Aggregate(flags, static (sum, status) => sum | status.Status));
        all |= chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, static (sum, status) => sum | status.Status);
        const X509ChainStatusFlags Known = X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.NotValidForUsage;
        if ((all & ~Known) != 0)
        {
            return new TrustRefusal(TrustFault.UnknownAuthority, $"unknown authority: {all & ~Known}");
        }

        if (all.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            var ended = chain.ChainElements.FirstOrDefault(element => element.Certificate.NotAfter < now.LocalDateTime);
            return ended is not null
                ? new TrustRefusal(TrustFault.Expired, $"expired on {ended.Certificate.NotAfter.ToUniversalTime():u}")
                : new TrustRefusal(TrustFault.NotYetValid, $"not yet valid at {now:u}");
        }

        return new TrustRefusal(TrustFault.WrongUsage, "wrong usage: its extended key usage does not allow this end of a connection");
    }

    private TrustState Read()
    {
        var authorities = PemFiles.ReadCertificates(_authorities);
        if (!authorities.Any(static certificate => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)))
        {
            throw new CryptographicException($"'{_authorities}' holds no root: a certificate that is its own issuer");
        }

        return new TrustState(authorities, _revocations is null ? null : RevocationLists.Read(_revocations));
    }

    private sealed record TrustState(X509Certificate2Collection Authorities, RevocationLists? Revocations);
}

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

/// <summary>What a certificate was shown for.</summary>
public enum CertificateUse
{
    /// <summary>By the end that connected.</summary>
    Client,

    /// <summary>By the end that listens.</summary>
    Server,
}

internal static class CertificateUseExtensions
{
    public static Oid Oid(this CertificateUse use) => new(use == CertificateUse.Client ? "1.3.6.1.5.5.7.3.2" : "1.3.6.1.5.5.7.3.1");
}
