using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Security;

public sealed class TrustFilesTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogSink _log = new();
    private readonly CertificateFolder _folder = new();
    private readonly TestAuthority _authority;

    public TrustFilesTests() => _authority = TestAuthority.Create(_time);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(CertificateUse.Client)]
    [InlineData(CertificateUse.Server)]
    public void Certificate_OfTheAuthority_IsTrusted(CertificateUse use) => Assert.Null(Check(new TestSubject([]), use: use));

    [Fact]
    public void Certificate_OfAnotherAuthorityOfTheSameName_IsUnknown()
    {
        using var other = TestAuthority.Create(_time);
        using var certificate = other.Issue(new TestSubject([]));

        Assert.Equal(TrustFault.UnknownAuthority, Fault(Trust(), certificate));
        Assert.Equal(TrustFault.UnknownAuthority, Fault(Trust(), certificate, other.Certificate));
    }

    [Fact]
    public void Certificate_OfItself_IsUnknown()
    {
        using var own = TestAuthority.Create(_time, "CN=Own");

        Assert.Equal(TrustFault.UnknownAuthority, Fault(Trust(), own.Certificate));
    }

    [Fact]
    public void Certificate_AfterItsEnd_IsExpired() =>
        Assert.Equal(TrustFault.Expired, Check(new TestSubject([], From: -TimeSpan.FromHours(2), To: -TimeSpan.FromHours(1)))!.Fault);

    [Fact]
    public void Certificate_BeforeItsBeginning_IsNotYetValid() =>
        Assert.Equal(TrustFault.NotYetValid, Check(new TestSubject([], From: TimeSpan.FromHours(1)))!.Fault);

    [Fact]
    public void Validity_FollowsTheClockThatIsGiven()
    {
        using var trust = Trust();
        using var certificate = _authority.Issue(new TestSubject([], To: TimeSpan.FromHours(1)));
        Assert.Null(trust.Check(certificate, null, CertificateUse.Client));

        _time.Advance(TimeSpan.FromHours(2));

        Assert.Equal(TrustFault.Expired, trust.Check(certificate, null, CertificateUse.Client)!.Fault);
    }

    [Theory]
    [InlineData(true, CertificateUse.Server)]
    [InlineData(false, CertificateUse.Client)]
    public void Certificate_ForTheOtherEnd_IsOfWrongUsage(bool forClient, CertificateUse use) =>
        Assert.Equal(TrustFault.WrongUsage, Check(new TestSubject([], forClient, !forClient), use: use)!.Fault);

    [Fact]
    public void Certificate_BelowAsManyAuthoritiesAsMayBe_IsTrusted_AndOneMoreIsTooDeep()
    {
        var chain = new List<TestAuthority> { _authority };
        for (var i = 0; i <= TrustFiles.DefaultDepth; i++)
        {
            chain.Add(chain[^1].CreateBelow($"CN=Below {i}"));
        }

        using var trust = Trust();
        X509Certificate2[] between = [.. chain.Skip(1).Select(static authority => authority.Certificate)];
        using var deepest = chain[TrustFiles.DefaultDepth].Issue(new TestSubject([]));
        using var tooDeep = chain[TrustFiles.DefaultDepth + 1].Issue(new TestSubject([]));

        Assert.Null(trust.Check(deepest, [.. between], CertificateUse.Client));
        Assert.Equal(TrustFault.TooDeep, Fault(trust, tooDeep, between));
        Assert.Equal(TrustFault.UnknownAuthority, Fault(trust, deepest));
        chain.Skip(1).ToList().ForEach(static authority => authority.Dispose());
    }

    [Fact]
    public void Authorities_WithoutARoot_AreRefused()
    {
        using var below = _authority.CreateBelow("CN=Below");
        _folder.Write("ca.pem", below.Pem);

        var error = Assert.Throws<CryptographicException>(() => new TrustFiles(_folder["ca.pem"], null, _time, _log.CreateLogger("trust")));
        Assert.Contains("ca.pem", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "cannot be read")]
    [InlineData("no PEM", "holds no certificate")]
    [InlineData("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read")]
    public void Authorities_ThatCannotBeRead_AreNamed(string? text, string expected)
    {
        if (text is not null)
        {
            _folder.Write("ca.pem", text);
        }

        var error = Record.Exception(() => new TrustFiles(_folder["ca.pem"], null, _time, _log.CreateLogger("trust")));
        Assert.Contains("ca.pem", error!.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Authorities_ThatChange_AreTakenOnceTheyAreSeen()
    {
        using var other = TestAuthority.Create(_time, "CN=Other");
        using var certificate = other.Issue(new TestSubject([]));
        using var trust = Trust();
        Assert.Equal(TrustFault.UnknownAuthority, Fault(trust, certificate));

        _folder.Write("ca.pem", $"{_authority.Pem}\n{other.Pem}");
        _time.Advance(WatchedFiles.Interval);

        Assert.Null(trust.Check(certificate, null, CertificateUse.Client));
    }

    [Fact]
    public void Authorities_ThatBreak_LeaveTheOldInForce()
    {
        using var certificate = _authority.Issue(new TestSubject([]));
        using var trust = Trust();

        _folder.Write("ca.pem", "broken");
        _time.Advance(WatchedFiles.Interval);
        _time.Advance(WatchedFiles.Interval);

        Assert.Null(trust.Check(certificate, null, CertificateUse.Client));
        Assert.Contains("ca.pem", Assert.Single(_log.Problems), StringComparison.Ordinal);
    }

    private TrustFiles Trust()
    {
        if (!File.Exists(_folder["ca.pem"]))
        {
            _folder.Write("ca.pem", _authority.Pem);
        }

        return new TrustFiles(_folder["ca.pem"], null, _time, _log.CreateLogger("trust"));
    }

    private TrustRefusal? Check(TestSubject subject, CertificateUse use = CertificateUse.Client)
    {
        using var trust = Trust();
        using var certificate = _authority.Issue(subject);
        return trust.Check(certificate, null, use);
    }

    private static TrustFault? Fault(TrustFiles trust, X509Certificate2 certificate, params X509Certificate2[] others) =>
        trust.Check(certificate, [.. others], CertificateUse.Client)?.Fault;
}
