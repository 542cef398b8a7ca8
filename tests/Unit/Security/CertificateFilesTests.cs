using System.Security.Cryptography;
using Cluster.Security;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Security;

public sealed class CertificateFilesTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogSink _log = new();
    private readonly CertificateFolder _folder = new();
    private readonly TestAuthority _authority;

    public CertificateFilesTests() => _authority = TestAuthority.Create(_time);

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void Files_HoldTheCertificateAndItsChain()
    {
        using var below = _authority.CreateBelow("CN=Below");
        using var certificate = below.Issue(new TestSubject([], To: TimeSpan.FromDays(3)));
        var (pem, key) = _folder.Write("own", certificate, below);

        using var files = new CertificateFiles(pem, key, _time, _log.CreateLogger("certificate"));

        Assert.Equal(certificate.Thumbprint, files.Current.TargetCertificate.Thumbprint);
        Assert.True(files.Current.TargetCertificate.HasPrivateKey);
        Assert.Equal(below.Certificate.Thumbprint, Assert.Single(files.Current.IntermediateCertificates).Thumbprint);
        Assert.Equal(_time.GetUtcNow().AddDays(3), files.NotAfter);
    }

    [Fact]
    public void Files_ThatChange_AreTaken_AndTheSameOnesAreNotReadAgain()
    {
        using var first = _authority.Issue(new TestSubject([]));
        using var second = _authority.Issue(new TestSubject([]));
        var (pem, key) = _folder.Write("own", first);
        using var files = new CertificateFiles(pem, key, _time, _log.CreateLogger("certificate"));
        var before = files.Current;
        _time.Advance(WatchedFiles.Interval);
        Assert.Same(before, files.Current);

        _folder.Write("own", second);
        _time.Advance(WatchedFiles.Interval);

        Assert.Equal(second.Thumbprint, files.Current.TargetCertificate.Thumbprint);
        Assert.Empty(_log.Problems);
    }

    [Fact]
    public void Files_ThatDoNotFitEachOther_LeaveTheOldInForceUntilTheyDo()
    {
        using var first = _authority.Issue(new TestSubject([]));
        using var second = _authority.Issue(new TestSubject([]));
        var (pem, key) = _folder.Write("own", first);
        var (newPem, newKey) = _folder.Write("new", second);
        using var files = new CertificateFiles(pem, key, _time, _log.CreateLogger("certificate"));

        File.Move(newPem, pem, overwrite: true);
        _time.Advance(WatchedFiles.Interval);
        Assert.Equal(first.Thumbprint, files.Current.TargetCertificate.Thumbprint);
        Assert.Contains("own.key", Assert.Single(_log.Problems), StringComparison.Ordinal);

        File.Move(newKey, key, overwrite: true);
        _time.Advance(WatchedFiles.Interval);
        Assert.Equal(second.Thumbprint, files.Current.TargetCertificate.Thumbprint);
    }

    [Fact]
    public void Files_ThatDoNotFitAtTheStart_AreNamed()
    {
        using var first = _authority.Issue(new TestSubject([]));
        using var second = _authority.Issue(new TestSubject([]));
        var (pem, _) = _folder.Write("own", first);
        var (_, key) = _folder.Write("other", second);

        var error = Assert.Throws<CryptographicException>(() => new CertificateFiles(pem, key, _time, _log.CreateLogger("certificate")));
        Assert.Contains("other.key", error.Message, StringComparison.Ordinal);
        Assert.Contains("missing.pem", Assert.Throws<IOException>(() => new CertificateFiles(_folder["missing.pem"], key, _time, _log.CreateLogger("certificate"))).Message, StringComparison.Ordinal);
    }
}
