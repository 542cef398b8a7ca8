using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cluster.Cli;
using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Start;

/// <summary>Verbs that take several silos, against a gateway with TLS and keys. Unit <c>CliServerTests</c> has the others.</summary>
[Collection(RoomyCluster.Name)]
public sealed class CommandLineTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    [Fact]
    public async Task ScaleDrainBench_AgainstAGatewayWithTlsAndKeys_DoWhatTheySay()
    {
        var cluster = await ClusterAsync();
        var model = (await RegisterAsync(cluster, "cli", 1, OnnxModels.Small, OneCopy))[0].Model;
        using var certificates = TestCertificates.Create("127.0.0.1");
        using var folder = new CertificateFolder();
        var (key, access) = (folder.Write("operator.key", "operator.secret"), folder.Write("access.json", Access()));
        await using var gateway = new ClusterProcess(
            "gateway with TLS",
            ["gateway", "--redis", cluster.Redis.Endpoint, "--cluster-id", "tests", "--http-port", "0", "--grpc-port", "0", "--silo-port", "0", "--tls-cert", certificates.Certificate, "--tls-key", certificates.Key, "--access", access]);
        await gateway.StartAsync();

        // Replicas come to as many silos as are asked for, and stay there until the settings hold again.
        Assert.Equal($"model '{model}' has at least 2 and at most 2 replicas\n", await RunAsync("scale", model, "--min", "2", "--max", "2", "--wait"));
        Assert.Equal(2, (await cluster.ViewAsync(1)).SilosOf(model).Distinct().Count());

        var silo = (await cluster.ViewAsync(1)).SilosOf(model)[0];
        Assert.Equal($"silo '{silo}' drains, and has no replica\n", await RunAsync("drain", silo, "--wait"));
        Assert.Matches($@"\n{silo.Replace(".", "\\.", StringComparison.Ordinal)} +Active, draining +0 ", await RunAsync("get", "silos"));
        Assert.DoesNotContain(silo, (await cluster.ViewAsync(1)).SilosOf(model));
        Assert.Matches($@"\n1 +{silo.Replace(".", "\\.", StringComparison.Ordinal)} +no +no +draining", await RunAsync("why", model));

        var request = folder.Write("request.json", """{"inputs":[{"name":"X","datatype":"FP32","shape":[1],"data":[0]}]}""");
        var bench = JsonDocument.Parse(await RunAsync("bench", model, request, "--seconds", "1", "-o", "json")).RootElement;
        Assert.Equal(0, bench.GetProperty("failed").GetInt32());
        Assert.True(bench.GetProperty("requests").GetInt32() > 10, bench.GetRawText());

        Assert.Equal($"silo '{silo}' takes replicas\n", await RunAsync("undrain", silo));
        await cluster.UntilAsync(async () => await RunAsync("events") is var events && events.Contains("silo_draining ", StringComparison.Ordinal) && events.Contains("silo_undrained ", StringComparison.Ordinal), Patience, "both are told");
        Assert.Equal($"model '{model}' has as many replicas as its settings say\n", await RunAsync("scale", model, "--reset", "--wait"));
        Assert.Single((await cluster.ViewAsync(1)).SilosOf(model));

        async Task<string> RunAsync(params string[] arguments)
        {
            await using var written = new StringWriter(CultureInfo.InvariantCulture);
            await using var errors = new StringWriter(CultureInfo.InvariantCulture);
            var surroundings = new Surroundings(written, errors, Stream.Null, static _ => null, TimeProvider.System, Width: null);
            string[] all = [.. arguments, "--server", gateway.HttpUrl, "--ca", certificates.Authority, "--key-file", key, "--timeout", "60"];
            var code = await CommandLine.RunAsync(all, surroundings, TestContext.Current.CancellationToken);
            Assert.Equal((0, ""), (code, errors.ToString()));
            return written.ToString();
        }
    }

    /// <summary>One client, <c>operator</c> by the key <c>operator.secret</c>, which may do everything.</summary>
    private static string Access()
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return JsonSerializer.Serialize(new
        {
            clients = new { @operator = new { keys = new[] { new { id = "operator", salt = Convert.ToHexString(salt), sha256 = Convert.ToHexString(SHA256.HashData([.. salt, .. Encoding.UTF8.GetBytes("secret")])) } } } },
            rules = new[] { new { clients = new[] { "operator" }, allow = new[] { "infer", "read", "manage", "observe" }, models = new[] { "*" } } },
        });
    }
}
