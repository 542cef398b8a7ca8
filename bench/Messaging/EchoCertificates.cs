using Cluster.Silo.Transport;
using Cluster.Tests.Common;

namespace Cluster.Bench.Messaging;

/// <summary>Certificates for the processes of the benchmark, in a folder that both read.</summary>
internal sealed class EchoCertificates : IDisposable
{
    private const string ClusterId = "bench";

    private readonly TestAuthority _authority = TestAuthority.Create(TimeProvider.System);
    private readonly CertificateFolder _folder = new();

    public EchoCertificates()
    {
        using var certificate = _authority.Issue(new TestSubject($"cluster://{ClusterId}/silo"));
        _folder.Write("own", certificate);
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("crl.pem", _authority.RevocationListPem());
    }

    public string Folder => _folder[""];

    /// <param name="folder">Null: no TLS.</param>
    public static PeerTlsFiles? Of(string? folder)
    {
        return folder is null ? null : new PeerTlsFiles(In("own.pem"), In("own.key"), In("ca.pem"), In("crl.pem"), ClusterId);

        string In(string file) => Path.Combine(folder, file);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }
}
