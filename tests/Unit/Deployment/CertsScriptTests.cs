using System.Security.Cryptography.X509Certificates;
using Cluster.Security;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Deployment;

/// <summary>What deploy/certs makes is what the program takes.</summary>
public sealed class CertsScriptTests : IDisposable
{
    private readonly CertificateFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Certificates_AreForWhatTheirNamesSay()
    {
        await RunAsync("--cluster-id", "blue");
        using var trust = Trust();

        Assert.Equal((null, null), Faults(trust, "silo"));
        Assert.Equal((null, null), Faults(trust, "gateway"));
        Assert.Equal((null, TrustFault.WrongUsage), Faults(trust, "client"));
        Assert.Equal((TrustFault.WrongUsage, null), Faults(trust, "server"));
        Assert.Equal(["gateway", "silo"], new[] { "client", "gateway", "server", "silo" }.Where(name => PeerIdentity.Check(Read(name), "blue") is null));
        Assert.NotNull(PeerIdentity.Check(Read("silo"), "red"));
        Assert.Equal("600", (await Command.RunAsync("stat", ["-c", "%a", _folder["silo.key"]])).Trim());
        using var own = PemFiles.ReadPair(_folder["silo.pem"], _folder["silo.key"]);
        Assert.True(own.HasPrivateKey);
    }

    [Fact]
    public async Task Revoke_OfOne_LeavesTheOthers_AndASecondRunKeepsAll()
    {
        await RunAsync();
        await RunAsync("add", "silo", "silo-2");
        var before = await File.ReadAllTextAsync(_folder["silo.pem"]);

        await RunAsync("revoke", "silo-2");
        await RunAsync();

        using var trust = Trust();
        Assert.Equal((TrustFault.Revoked, TrustFault.Revoked), Faults(trust, "silo-2"));
        Assert.Equal((null, null), Faults(trust, "silo"));
        Assert.Equal(before, await File.ReadAllTextAsync(_folder["silo.pem"]));
    }

    [Theory]
    [InlineData("'../x' is no name", "add", "client", "../x")]
    [InlineData("'guest' is no role", "add", "guest", "x")]
    [InlineData("there is no", "revoke", "x")]
    [InlineData("--cluster-id is 'a/b'", "--cluster-id", "a/b")]
    public async Task Mistakes_AreToldAndMakeNothing(string says, params string[] arguments)
    {
        await RunAsync();

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(arguments));

        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder["x.pem"]));
    }

    [Fact]
    public async Task Add_ANameThatIsTaken_IsFineForTheSameAndAMistakeForAnother()
    {
        await RunAsync();
        await RunAsync("add", "server", "public", "gateway.cluster.svc", "10.0.0.1");
        var made = await File.ReadAllTextAsync(_folder["public.pem"]);

        await RunAsync("add", "server", "public", "gateway.cluster.svc", "10.0.0.1");
        foreach (var other in new[] { "server public other.svc", "client public", "server gateway gateway.cluster.svc", "gateway silo", "silo client" })
        {
            var error = await Assert.ThrowsAsync<InvalidOperationException>(() => RunAsync(["add", .. other.Split(' ')]));
            Assert.Contains("choose another name", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(made, await File.ReadAllTextAsync(_folder["public.pem"]));
    }

    private Task<string> RunAsync(params string[] arguments) => Command.RunAsync(Path.Combine(TestPaths.Root, "deploy", "certs"), ["--dir", _folder[""], .. arguments]);

    private TrustFiles Trust() => new(_folder["ca.pem"], _folder["crl.pem"], TimeProvider.System, NullLogger.Instance);

    private (TrustFault? AsClient, TrustFault? AsServer) Faults(TrustFiles trust, string name) =>
        (trust.Check(Read(name), null, CertificateUse.Client)?.Fault, trust.Check(Read(name), null, CertificateUse.Server)?.Fault);

    private X509Certificate2 Read(string name) => PemFiles.ReadCertificates(_folder[$"{name}.pem"])[0];
}
