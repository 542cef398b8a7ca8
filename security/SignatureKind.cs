using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Security;

/// <summary>How a revocation list is signed: ECDSA or RSA (PKCS #1), with SHA-256, SHA-384 or SHA-512.</summary>
internal sealed record SignatureKind(bool IsEcdsa, HashAlgorithmName Hash)
{
    private static readonly Dictionary<string, SignatureKind> Known = new(StringComparer.Ordinal)
    {
        ["1.2.840.10045.4.3.2"] = new(true, HashAlgorithmName.SHA256),
        ["1.2.840.10045.4.3.3"] = new(true, HashAlgorithmName.SHA384),
        ["1.2.840.10045.4.3.4"] = new(true, HashAlgorithmName.SHA512),
        ["1.2.840.113549.1.1.11"] = new(false, HashAlgorithmName.SHA256),
        ["1.2.840.113549.1.1.12"] = new(false, HashAlgorithmName.SHA384),
        ["1.2.840.113549.1.1.13"] = new(false, HashAlgorithmName.SHA512),
    };

    /// <param name="algorithm">An AlgorithmIdentifier of RFC 5280.</param>
    /// <exception cref="InvalidDataException">It is none of those that are known.</exception>
    public static SignatureKind Read(ReadOnlyMemory<byte> algorithm)
    {
        var id = new AsnReader(algorithm, AsnEncodingRules.DER).ReadSequence().ReadObjectIdentifier();
        return Known.GetValueOrDefault(id) ?? throw new InvalidDataException($"its signature algorithm {id} is not known, expected ECDSA or RSA with SHA-256, SHA-384 or SHA-512");
    }

    /// <returns>False also where the issuer's key is of another kind.</returns>
    public bool Verify(X509Certificate2 issuer, byte[] data, byte[] signature)
    {
        try
        {
            if (IsEcdsa)
            {
                using var ecdsa = issuer.GetECDsaPublicKey();
                return ecdsa is not null && ecdsa.VerifyData(data, signature, Hash, DSASignatureFormat.Rfc3279DerSequence);
            }

            using var rsa = issuer.GetRSAPublicKey();
            return rsa is not null && rsa.VerifyData(data, signature, Hash, RSASignaturePadding.Pkcs1);
        }
        catch (CryptographicException)
        {
            // A key that cannot be used has signed nothing.
            return false;
        }
    }
}
