using Cluster.Silo.Options;
using Cluster.Tests.Common;
using Xunit;
using static Cluster.Unit.Silo.ServeReading;

namespace Cluster.Unit.Silo;

/// <summary>Paths in options, whose files are read at the start.</summary>
[Collection(nameof(ServeReading))]
public sealed class ServePathsTests
{
    [Fact]
    public void Check_PathsThatCannotBeRead_AreToldTogether()
    {
        using var folder = ModelFolder.Create();
        var empty = Path.Combine(folder.Path, "empty");
        File.WriteAllText(empty, "\n");
        var read = Read(
            NoFile,
            ("Cluster:Models", empty), ("Cluster:RegisteredModels", "/nonexistent"), ("Cluster:Config", folder.Path), ("Cluster:Redis", "a:1"), ("Cluster:RedisPasswordFile", empty));

        Assert.Empty(read.Mistakes);
        Assert.Equal(
            [
                $"--models is '{empty}', expected a folder that can be read",
                $"--config is '{folder.Path}', expected a file that can be read",
                "--registered-models is '/nonexistent', expected a folder that can be read",
                $"--redis-password-file is '{empty}', expected a file with a password that can be read",
            ],
            ServePaths.Check(read));
    }

    [Fact]
    public void Check_FilesForRedisThatCannotBeRead_AreToldTogether()
    {
        using var certificates = TestCertificates.Create("redis.example");
        using var others = TestCertificates.Create("redis.example");

        Assert.Equal(
            ["--redis-tls-ca", "--redis-tls-key", "--redis-tls-cert"],
            Files("/nonexistent", "/nonexistent", "/nonexistent").Select(static mistake => mistake.Split(" is '/nonexistent', expected ")[0]));
        Assert.Equal(
            [$"--redis-tls-ca is '{others.Key}', expected a PEM file of certificates that can be read",
                $"--redis-tls-cert is '{certificates.Certificate}', expected a PEM file of a certificate that --redis-tls-key belongs to"],
            Files(others.Key, certificates.Certificate, others.Key));
        Assert.Empty(Files(certificates.Authority, certificates.Certificate, certificates.Key));

        static IReadOnlyList<string> Files(string authorities, string certificate, string key) => ServePaths.Check(Read(
            NoFile,
            ("Cluster:Models", Path.GetTempPath()), ("Cluster:Redis", "a:1"), ("Cluster:RedisTls", "true"),
            ("Cluster:RedisTlsCa", authorities), ("Cluster:RedisTlsCert", certificate), ("Cluster:RedisTlsKey", key)));
    }

    [Fact]
    public void Check_FilesForPeersThatCannotBeUsed_AreToldTogether()
    {
        using var authority = TestAuthority.Create(TimeProvider.System);
        using var folder = new CertificateFolder();
        using var peer = authority.Issue(new TestSubject("cluster://cluster/silo"));
        using var client = authority.Issue(new TestSubject([]));
        var (certificate, key) = folder.Write("peer", peer);
        var (other, otherKey) = folder.Write("client", client);
        var authorities = folder.Write("ca.pem", authority.Pem);
        var revocations = folder.Write("crl.pem", authority.RevocationListPem());

        Assert.Empty(Files(authorities, revocations, certificate, key));
        Assert.Equal(["--peer-cert"], Files(authorities, revocations, other, otherKey));
        Assert.Equal(["--peer-cert"], Files(authorities, revocations, certificate, otherKey));
        Assert.Equal(["--peer-ca", "--peer-crl", "--peer-key", "--peer-cert"], Files("/nonexistent", authorities, "/nonexistent", "/nonexistent"));

        static IEnumerable<string> Files(string authorities, string revocations, string certificate, string key) => ServePaths.Check(Read(
            NoFile,
            ("Cluster:Models", Path.GetTempPath()), ("Cluster:Redis", "a:1"),
            ("Cluster:PeerCa", authorities), ("Cluster:PeerCrl", revocations), ("Cluster:PeerCert", certificate), ("Cluster:PeerKey", key))).Select(static mistake => mistake.Split(' ')[0]);
    }
}
