using System.Globalization;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>A second cluster with deploy/secured/compose.yml beside docker-compose.yml: TLS and keys outside, TLS at every port inside.</summary>
public sealed class SecuredTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    [Fact]
    public async Task Up_WithTheSecuredFile_AnswersByTlsAndKeyAndRefusesOthers()
    {
        await using var secured = await SecuredCluster.StartAsync(Cluster);
        var readme = await File.ReadAllLinesAsync(Path.Combine(Cluster.Root, "README.md"));
        var line = readme.Single(static line => line.StartsWith("curl --cacert client/ca.pem", StringComparison.Ordinal));
        var promised = readme.Single(static line => line.StartsWith("{\"model_name\":\"digits\"", StringComparison.Ordinal));

        var answer = await Command.RunAsync("sh", ["-c", line.Replace("https://127.0.0.1:8000", secured.Url, StringComparison.Ordinal)], Cluster.Root);
        Assert.Equal(promised, answer.Trim());
        foreach (var (expected, arguments) in new[]
        {
            ("200", $"--cacert client/ca.pem {secured.Url}/v2/health/ready"),
            ("401", $"--cacert client/ca.pem {secured.Url}/v2"),
            ("401", $"--cacert client/ca.pem -H x-api-key:{new string('a', 12)}.{new string('b', 64)} {secured.Url}/v2"),
            ("000", $"{secured.Url}/v2/health/ready"),
            ("000", $"{secured.Url.Replace("https", "http", StringComparison.Ordinal)}/v2/health/ready"),
            ("000", $"--tls-max 1.1 --insecure {secured.Url}/v2/health/ready"),
        })
        {
            Assert.Equal(expected, await StatusAsync(arguments));
        }

        Assert.Contains("\ncluster_insecure 0\n", await Command.RunAsync("curl", ["--silent", "--fail", "--cacert", "client/ca.pem", "--header", "@client/header", secured.Url + "/metrics"], Cluster.Root), StringComparison.Ordinal);
        await CheckInsideAsync(secured);
        await CheckSecretsAsync(secured);
    }

    /// <summary>The HTTP port of a silo speaks TLS alone, and asks for a certificate.</summary>
    private static async Task CheckInsideAsync(SecuredCluster secured)
    {
        var silo = (await Engine.ContainersAsync(secured.Project, "silo"))[0];
        var redis = (await Engine.ContainersAsync(secured.Project, "redis"))[0];
        var image = (await Engine.InspectAsync(redis)).GetProperty("Config").GetProperty("Image").GetString()!;
        var address = (await Engine.InspectAsync(silo)).GetProperty("NetworkSettings").GetProperty("Networks").GetProperty($"{secured.Project}_inside").GetProperty("IPAddress").GetString();
        var script = $@"exec 3<>/dev/tcp/{address}/8000; printf 'GET /metrics HTTP/1.1\r\nHost: silo\r\n\r\n' >&3; timeout 5 cat <&3 | grep -c 'HTTP/1.1 200' || true";

        Assert.Equal("0", (await Engine.DockerAsync("run", "--rm", "--network", $"{secured.Project}_inside", "--entrypoint", "bash", image, "-c", script)).Trim());
        Assert.DoesNotContain("without TLS or identity", await Engine.DockerAsync("logs", silo), StringComparison.Ordinal);
    }

    /// <summary>The key is in the volume of those who use it, and nowhere else.</summary>
    private async Task CheckSecretsAsync(SecuredCluster secured)
    {
        var secret = (await File.ReadAllTextAsync(Path.Combine(Cluster.Root, "client", "key"))).Trim().Split('.')[1];

        foreach (var service in new[] { "identities", "gateway", "silo" })
        {
            var container = (await Engine.ContainersAsync(secured.Project, service, all: true))[0];
            Assert.DoesNotContain(secret, await Engine.DockerAsync("inspect", container), StringComparison.Ordinal);
            Assert.DoesNotContain(secret, await Engine.DockerAsync("logs", container), StringComparison.Ordinal);
        }

        var gateway = (await Engine.ContainersAsync(secured.Project, "gateway"))[0];
        var process = (await Engine.InspectAsync(gateway)).GetProperty("State").GetProperty("Pid").GetInt32().ToString(CultureInfo.InvariantCulture);
        Assert.Equal(["access.json"], Directory.EnumerateFileSystemEntries($"/proc/{process}/root/run/access").Select(Path.GetFileName));
        Assert.Equal(["own.key", "own.pem"], Directory.EnumerateFileSystemEntries($"/proc/{process}/root/run/public").Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>HTTP's status, or 000 where there was no answer.</summary>
    private Task<string> StatusAsync(string arguments) =>
        Command.RunAsync("sh", ["-c", $"curl --silent --output /dev/null --max-time 10 --write-out '%{{http_code}}' {arguments} || true"], Cluster.Root);
}
