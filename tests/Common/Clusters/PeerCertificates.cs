namespace Cluster.Tests.Common;

/// <summary>Certificates of the processes of a cluster, as files of one authority; each process has its own.</summary>
public sealed class PeerCertificates : IDisposable
{
    private readonly TestAuthority _authority = TestAuthority.Create(TimeProvider.System);
    private readonly CertificateFolder _folder = new();

    public PeerCertificates()
    {
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl.pem", _authority.RevocationListPem());
    }

    /// <summary>The options of a process, whose certificate is made now.</summary>
    /// <param name="role"><c>silo</c> or <c>gateway</c>.</param>
    public string[] Options(string role, int number)
    {
        using var issued = _authority.Issue(new TestSubject($"cluster://tests/{role}"));
        var (certificate, key) = _folder.Write($"{role}-{number}", issued);
        return ["--peer-cert", certificate, "--peer-key", key, "--peer-ca", _folder["ca.pem"], "--peer-crl", _folder["crl.pem"]];
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }
}
