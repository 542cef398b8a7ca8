using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Security;

/// <summary>
/// One X.509 revocation list (RFC 5280, section 5), which .NET writes but does not read. It is complete and of one issuer. An extension that makes a list partial, or
/// one of several issuers, is marked critical, and a list with an unknown critical extension is refused. Safe from any thread.
/// </summary>
internal sealed class RevocationList
{
    /// <summary>Version 2 of the form.</summary>
    private const int Version2 = 1;

    private static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 0, isConstructed: true);

    private readonly byte[] _signed;
    private readonly byte[] _signature;
    private readonly SignatureKind _kind;
    private readonly byte[] _issuer;
    private readonly HashSet<string> _serials;

    /// <summary>The key that the signature was last found to be of: the same authority is asked each time.</summary>
    private volatile byte[]? _verified;

    private RevocationList(byte[] signed, byte[] signature, SignatureKind kind, byte[] issuer, DateTimeOffset thisUpdate, DateTimeOffset nextUpdate, HashSet<string> serials)
    {
        _signed = signed;
        _signature = signature;
        _kind = kind;
        _issuer = issuer;
        ThisUpdate = thisUpdate;
        NextUpdate = nextUpdate;
        _serials = serials;
    }

    public DateTimeOffset ThisUpdate { get; }

    /// <summary>From then on it is out of date.</summary>
    public DateTimeOffset NextUpdate { get; }

    /// <exception cref="InvalidDataException">It is no list, or one that is not understood.</exception>
    public static RevocationList Parse(byte[] bytes)
    {
        try
        {
            return Read(bytes);
        }
        catch (AsnContentException exception)
        {
            throw new InvalidDataException("it is not in the form of RFC 5280", exception);
        }
    }

    public bool IsCurrent(DateTimeOffset now) => ThisUpdate <= now && now < NextUpdate;

    /// <summary>Whether it lists a certificate of its issuer.</summary>
    public bool Names(X509Certificate2 certificate) => _serials.Contains(Serial(certificate.SerialNumberBytes.Span));

    /// <summary>Whether <paramref name="issuer"/> has signed it.</summary>
    public bool IsOf(X509Certificate2 issuer)
    {
        if (!issuer.SubjectName.RawData.AsSpan().SequenceEqual(_issuer))
        {
            return false;
        }

        var key = issuer.PublicKey.ExportSubjectPublicKeyInfo();
        if (_verified is { } verified && verified.AsSpan().SequenceEqual(key))
        {
            return true;
        }

        if (!MaySign(issuer) || !_kind.Verify(issuer, _signed, _signature))
        {
            return false;
        }

        _verified = key;
        return true;
    }

    /// <summary>Where its key usage is said at all, it must name lists.</summary>
    private static bool MaySign(X509Certificate2 issuer) =>
        issuer.Extensions.OfType<X509KeyUsageExtension>().FirstOrDefault() is not { } usage || usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign);

    private static RevocationList Read(byte[] bytes)
    {
        var outer = new AsnReader(bytes, AsnEncodingRules.DER);
        var whole = outer.ReadSequence();
        outer.ThrowIfNotEmpty();
        var signed = whole.ReadEncodedValue().ToArray();
        var algorithm = whole.ReadEncodedValue();
        var signature = whole.ReadBitString(out var unused);
        whole.ThrowIfNotEmpty();

        var list = new AsnReader(signed, AsnEncodingRules.DER).ReadSequence();
        if (list.PeekTag().HasSameClassAndValue(Asn1Tag.Integer) && (!list.TryReadInt32(out var version) || version != Version2))
        {
            throw new InvalidDataException("it is of another version than 2");
        }

        if (unused != 0 || !list.ReadEncodedValue().Span.SequenceEqual(algorithm.Span))
        {
            throw new InvalidDataException("it names two signature algorithms");
        }

        var issuer = list.PeekEncodedValue().ToArray();
        list.ReadSequence();
        var thisUpdate = ReadTime(list);
        var nextUpdate = list.HasData && IsTime(list.PeekTag()) ? ReadTime(list) : throw new InvalidDataException("it does not say when the next one comes");
        var serials = list.HasData && list.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence) ? ReadEntries(list.ReadSequence()) : [];
        if (list.HasData)
        {
            var extensions = list.ReadSequence(Extensions);
            RefuseCritical(extensions.ReadSequence());
            extensions.ThrowIfNotEmpty();
        }

        list.ThrowIfNotEmpty();
        return new RevocationList(signed, signature, SignatureKind.Read(algorithm), issuer, thisUpdate, nextUpdate, serials);
    }

    private static HashSet<string> ReadEntries(AsnReader entries)
    {
        var serials = new HashSet<string>(StringComparer.Ordinal);
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            serials.Add(Serial(entry.ReadIntegerBytes().Span));
            ReadTime(entry);
            if (entry.HasData)
            {
                RefuseCritical(entry.ReadSequence());
            }

            entry.ThrowIfNotEmpty();
        }

        return serials;
    }

    private static void RefuseCritical(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var id = extension.ReadObjectIdentifier();
            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean())
            {
                throw new InvalidDataException($"it has a critical extension that is not known, {id}");
            }

            extension.ReadOctetString();
            extension.ThrowIfNotEmpty();
        }
    }

    private static bool IsTime(Asn1Tag tag) => tag.HasSameClassAndValue(Asn1Tag.UtcTime) || tag.HasSameClassAndValue(Asn1Tag.GeneralizedTime);

    private static DateTimeOffset ReadTime(AsnReader reader) =>
        reader.PeekTag().HasSameClassAndValue(Asn1Tag.UtcTime) ? reader.ReadUtcTime() : reader.ReadGeneralizedTime();

    /// <summary>Without the zeros in front that some encodings have and others leave out.</summary>
    private static string Serial(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes.TrimStart((byte)0));
}

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
