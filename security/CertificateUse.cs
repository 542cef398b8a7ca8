using System.Security.Cryptography;

namespace Cluster.Security;

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
