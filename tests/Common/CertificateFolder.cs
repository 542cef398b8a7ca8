using System.Security.Cryptography.X509Certificates;

namespace Cluster.Tests.Common;

/// <summary>Certificates, keys, authorities and revocation lists as files in a temporary folder.</summary>
public sealed class CertificateFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-certificates-");

    public string this[string name] => Path.Combine(_folder.FullName, name);

    /// <summary>Writes <c>name.pem</c> and <c>name.key</c>.</summary>
    public (string Certificate, string Key) Write(string name, X509Certificate2 certificate, params IEnumerable<TestAuthority> chain)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        Write($"{name}.pem", string.Join('\n', chain.Select(static authority => authority.Pem).Prepend(certificate.ExportCertificatePem())));
        return (this[$"{name}.pem"], Write($"{name}.key", key.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>Writes a file in one step, as another file than the one before: no reader sees a part.</summary>
    public string Write(string name, string text)
    {
        File.WriteAllText(this[$"{name}.new"], text);
        File.Move(this[$"{name}.new"], this[name], overwrite: true);
        return this[name];
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
