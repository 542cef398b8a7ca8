using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Security;

public sealed class RevocationTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogSink _log = new();
    private readonly CertificateFolder _folder = new();
    private readonly TestAuthority _authority;

    public RevocationTests() => _authority = TestAuthority.Create(_time);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData("P-256", true)]
    [InlineData("P-256", false)]
    [InlineData("P-384", true)]
    [InlineData("RSA", true)]
    public void Certificate_ThatIsListed_IsRevoked_AndAnotherIsNot(string kind, bool isPem)
    {
        using var authority = TestAuthority.Create(_time, "CN=Of that key", kind switch
        {
            "RSA" => RSA.Create(2048),
            "P-384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
            _ => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        });
        using var revoked = authority.Issue(new TestSubject([]));
        using var good = authority.Issue(new TestSubject([]));
        authority.Revoke(revoked);
        _folder.Write("ca.pem", authority.Pem);
        if (isPem)
        {
            _folder.Write("crl", authority.RevocationListPem());
        }
        else
        {
            File.WriteAllBytes(_folder["crl"], authority.RevocationList());
        }

        using var trust = Trust();

        Assert.Equal(TrustFault.Revoked, Fault(trust, revoked));
        Assert.Null(Fault(trust, good));
        Assert.Equal(_time.GetUtcNow().AddDays(30), trust.RevocationsEnd);
    }

    [Fact]
    public void Authority_ThatIsRevoked_TakesItsCertificatesWithIt()
    {
        using var below = _authority.CreateBelow("CN=Below");
        using var certificate = below.Issue(new TestSubject([]));
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl", _authority.RevocationListPem() + "\n" + below.RevocationListPem());
        using var trust = Trust();
        Assert.Null(Fault(trust, certificate, below.Certificate));

        _authority.Revoke(below.Certificate);
        _folder.Write("crl", _authority.RevocationListPem() + "\n" + below.RevocationListPem());
        _time.Advance(WatchedFiles.Interval);

        Assert.Equal(TrustFault.Revoked, Fault(trust, certificate, below.Certificate));
    }

    [Fact]
    public void Issuer_WithoutAList_IsRefused()
    {
        using var below = _authority.CreateBelow("CN=Below");
        using var certificate = below.Issue(new TestSubject([]));
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl", _authority.RevocationListPem());

        using var trust = Trust();

        Assert.Equal(TrustFault.NoRevocationList, Fault(trust, certificate, below.Certificate));
    }

    [Fact]
    public void List_SignedByAnotherKey_CountsAsNone()
    {
        using var other = TestAuthority.Create(_time);
        using var certificate = _authority.Issue(new TestSubject([]));
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl", _authority.RevocationListPem(signer: other));

        using var trust = Trust();

        Assert.Equal(TrustFault.NoRevocationList, Fault(trust, certificate));
    }

    [Fact]
    public void List_OutOfDate_RefusesAll_AndStillSaysWhatIsRevoked()
    {
        using var revoked = _authority.Issue(new TestSubject([]));
        using var good = _authority.Issue(new TestSubject([]));
        _authority.Revoke(revoked);
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl", _authority.RevocationListPem(life: TimeSpan.FromHours(1)));
        using var trust = Trust();
        Assert.Null(Fault(trust, good));

        _time.Advance(TimeSpan.FromHours(1));

        Assert.Equal(TrustFault.OutdatedRevocationList, Fault(trust, good));
        Assert.Equal(TrustFault.Revoked, Fault(trust, revoked));
    }

    [Fact]
    public void List_ThatBreaks_LeavesTheOldInForce_AndOneThatIsRightAgainIsTaken()
    {
        using var certificate = _authority.Issue(new TestSubject([]));
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl", _authority.RevocationListPem());
        using var trust = Trust();

        _folder.Write("crl", "broken");
        _time.Advance(WatchedFiles.Interval);
        Assert.Null(Fault(trust, certificate));
        Assert.Contains("crl", Assert.Single(_log.Problems), StringComparison.Ordinal);

        _authority.Revoke(certificate);
        _folder.Write("crl", _authority.RevocationListPem());
        _time.Advance(WatchedFiles.Interval);
        Assert.Equal(TrustFault.Revoked, Fault(trust, certificate));
    }

    /// <summary>Some damage is seen where the list is read, some by its signature; none ends otherwise.</summary>
    [Fact]
    public void List_ThatIsDamaged_NeverCountsAndNeverBreaksTheReader() => Fuzz(20_000);

    [Fact, Trait("Category", "Soak")]
    public void List_ManyThatAreDamaged_NeverCountAndNeverBreakTheReader() => Fuzz(100_000);

    private void Fuzz(int few)
    {
        using var certificate = _authority.Issue(new TestSubject([]));
        _authority.Revoke(certificate);
        var list = _authority.RevocationList();
        var random = new Random(FuzzRun.Seed(20_261_128));
        for (var i = 0; i < FuzzRun.Cases(few); i++)
        {
            var damaged = Damage(list, random);
            try
            {
                var parsed = RevocationLists.Parse(damaged).Lists[0];
                Assert.True(damaged.AsSpan().SequenceEqual(list) || !parsed.IsOf(_authority.Certificate), Convert.ToHexString(damaged));
            }
            catch (InvalidDataException)
            {
                // It was refused where it was read.
            }
        }
    }

    private static byte[] Damage(byte[] list, Random random)
    {
        var bytes = list.ToArray();
        switch (random.Next(4))
        {
            case 0:
                return bytes[..random.Next(bytes.Length)];
            case 1:
                return [.. bytes, .. new byte[random.Next(1, 9)]];
            default:
                for (var count = random.Next(1, 4); count > 0; count--)
                {
                    bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                }

                return bytes;
        }
    }

    private TrustFiles Trust() => new(_folder["ca.pem"], _folder["crl"], _time, _log.CreateLogger("trust"));

    private static TrustFault? Fault(TrustFiles trust, X509Certificate2 certificate, params X509Certificate2[] others) =>
        trust.Check(certificate, [.. others], CertificateUse.Client)?.Fault;
}
