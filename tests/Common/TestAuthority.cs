using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cluster.Tests.Common;

/// <summary>What a test's certificate is to be.</summary>
/// <param name="Uris">Names of the subject.</param>
/// <param name="ForClient">Whether the extended key usage has client authentication.</param>
/// <param name="ForServer">Whether it has server authentication.</param>
/// <param name="From">Its beginning, from the authority's clock.</param>
/// <param name="To">Its end, from the authority's clock.</param>
public sealed record TestSubject(string[] Uris, bool ForClient = true, bool ForServer = true, TimeSpan? From = null, TimeSpan? To = null)
{
    public TestSubject(params string[] uris)
        : this(uris, ForClient: true)
    {
    }
}

/// <summary>An authority in memory that issues certificates, revokes them and signs revocation lists.</summary>
public sealed class TestAuthority : IDisposable
{
    private static readonly TimeSpan Years = TimeSpan.FromDays(3650);

    private readonly AsymmetricAlgorithm _key;
    private readonly TestAuthority? _above;
    private readonly TimeProvider _time;
    private readonly X509Certificate2 _certificate;
    private readonly CertificateRevocationListBuilder _revoked = new();
    private int _number;

    private TestAuthority(string name, TimeProvider time, AsymmetricAlgorithm key, TestAuthority? above)
    {
        _time = time;
        _key = key;
        _above = above;
        var request = Request(name, key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        var (from, to) = (time.GetUtcNow() - Years, time.GetUtcNow() + Years);
        _certificate = request.Create(above?._certificate.SubjectName ?? request.SubjectName, above?.Signer ?? Signer, from, to, RandomNumberGenerator.GetBytes(8));
    }

    /// <summary>Its own certificate, without the key.</summary>
    public X509Certificate2 Certificate => _certificate;

    public string Pem => _certificate.ExportCertificatePem();

    private X509SignatureGenerator Signer => _key is RSA rsa ? X509SignatureGenerator.CreateForRSA(rsa, RSASignaturePadding.Pkcs1) : X509SignatureGenerator.CreateForECDsa((ECDsa)_key);

    private HashAlgorithmName Hash => _key is ECDsa { KeySize: 384 } ? HashAlgorithmName.SHA384 : HashAlgorithmName.SHA256;

    /// <param name="key">Null: a new one of the curve P-256.</param>
    public static TestAuthority Create(TimeProvider time, string name = "CN=Test authority", AsymmetricAlgorithm? key = null) =>
        new(name, time, key ?? ECDsa.Create(ECCurve.NamedCurves.nistP256), above: null);

    /// <summary>An authority below this one.</summary>
    public TestAuthority CreateBelow(string name) => new(name, _time, ECDsa.Create(ECCurve.NamedCurves.nistP256), this);

    /// <summary>A certificate with its key.</summary>
    public X509Certificate2 Issue(TestSubject subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = Request("CN=Test", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        string?[] usages = [subject.ForClient ? "1.3.6.1.5.5.7.3.2" : null, subject.ForServer ? "1.3.6.1.5.5.7.3.1" : null];
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. usages.OfType<string>().Select(static usage => new Oid(usage)).Append(new Oid("1.3.6.1.5.5.7.3.4"))], false));
        if (subject.Uris.Length > 0)
        {
            request.CertificateExtensions.Add(Names(subject.Uris));
        }

        var now = _time.GetUtcNow();
        using var certificate = request.Create(
            _certificate.SubjectName, Signer, now + (subject.From ?? -TimeSpan.FromHours(1)), now + (subject.To ?? TimeSpan.FromDays(365)), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    public void Revoke(X509Certificate2 certificate) => _revoked.AddEntry(certificate, _time.GetUtcNow());

    /// <summary>The list of what it has revoked, in DER.</summary>
    /// <param name="life">How long it is good for.</param>
    /// <param name="signer">Who signs in place of this authority, and under its name.</param>
    public byte[] RevocationList(TimeSpan? life = null, TestAuthority? signer = null)
    {
        var now = _time.GetUtcNow();
        return _revoked.Build(_certificate.SubjectName, (signer ?? this).Signer, ++_number, now + (life ?? TimeSpan.FromDays(30)), (signer ?? this).Hash, AuthorityKey(), now - TimeSpan.FromDays(1));
    }

    public string RevocationListPem(TimeSpan? life = null, TestAuthority? signer = null) => PemEncoding.WriteString("X509 CRL", RevocationList(life, signer));

    public void Dispose()
    {
        _key.Dispose();
        _certificate.Dispose();
    }

    private static X509AuthorityKeyIdentifierExtension AuthorityKey() => X509AuthorityKeyIdentifierExtension.CreateFromSubjectKeyIdentifier([1, 2, 3, 4]);

    private CertificateRequest Request(string name, AsymmetricAlgorithm key) => key is RSA rsa
        ? new CertificateRequest(name, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        : new CertificateRequest(name, (ECDsa)key, (_above ?? this).Hash);

    private static X509Extension Names(string[] uris)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            foreach (var uri in uris)
            {
                writer.WriteCharacterString(UniversalTagNumber.IA5String, uri, new Asn1Tag(TagClass.ContextSpecific, 6));
            }
        }

        return new X509Extension("2.5.29.17", writer.Encode(), critical: false);
    }
}
