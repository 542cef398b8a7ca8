using System.Globalization;
using System.Text.Json;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>What the processes in running containers may do, as the kernel says it.</summary>
public sealed class HardeningTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    private const string NoCapabilities = "0000000000000000";

    /// <summary>What every container has besides its own mounts.</summary>
    private static readonly string[] EnginesMounts = ["/proc", "/dev", "/sys", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];

    [Fact]
    public Task Silos_Running_MayDoNothing() => CheckAsync("silo", "5000", "/tmp");

    [Fact]
    public Task Gateway_Running_MayDoNothing() => CheckAsync("gateway", "5000", "/tmp");

    [Fact]
    public Task Redis_Running_MayDoNothingButKeepItsData() => CheckAsync("redis", "999", "/data");

    [Fact]
    public async Task Redis_WithoutThePassword_Refuses()
    {
        var redis = (await Cluster.ContainersAsync("redis"))[0];

        Assert.Contains("NOAUTH", await Engine.DockerAsync("exec", redis, "redis-cli", "--tls", "--cacert", "/run/certs/ca.pem", "ping"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Password_OfRedis_IsInNoCommandLineAndNoSetting()
    {
        var redis = (await Cluster.ContainersAsync("redis"))[0];
        var password = (await Engine.DockerAsync("exec", redis, "cat", "/run/secrets/redis-password")).Trim();
        Assert.Matches("^[0-9a-f]{64}$", password);

        foreach (var container in (await Task.WhenAll(new[] { "redis", "silo", "gateway" }.Select(Cluster.ContainersAsync))).SelectMany(static ids => ids))
        {
            var process = await ProcessAsync(container);
            Assert.DoesNotContain(password, await File.ReadAllTextAsync($"/proc/{process}/cmdline"), StringComparison.Ordinal);
            Assert.DoesNotContain(password, await File.ReadAllTextAsync($"/proc/{process}/environ"), StringComparison.Ordinal);
            Assert.DoesNotContain(password, await Engine.DockerAsync("inspect", container), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(password, await Cluster.LogsAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Redis_WithoutTls_DoesNotAnswer()
    {
        var redis = (await Cluster.ContainersAsync("redis"))[0];

        Assert.DoesNotContain("NOAUTH", await Engine.DockerAsync("exec", redis, "sh", "-c", "redis-cli ping 2>&1 || true"), StringComparison.Ordinal);
    }

    /// <summary>The volume that a container has holds no file of another kind of process, and the authority's key is in none.</summary>
    [Theory]
    [InlineData("silo", "cluster://cluster/silo")]
    [InlineData("gateway", "cluster://cluster/gateway")]
    [InlineData("redis", "DNS:redis")]
    public async Task Certificates_OfAContainer_AreItsOwn(string service, string name)
    {
        var container = (await Cluster.ContainersAsync(service))[0];
        var certs = $"/proc/{await ProcessAsync(container)}/root/run/certs";

        Assert.Equal(["ca.pem", "crl.pem", "own.key", "own.pem"], Directory.EnumerateFileSystemEntries(certs).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains(name, await Command.RunAsync("openssl", ["x509", "-in", $"{certs}/own.pem", "-noout", "-text"]), StringComparison.Ordinal);
        Assert.DoesNotContain("/run/ca", await File.ReadAllTextAsync($"/proc/{await ProcessAsync(container)}/mountinfo"), StringComparison.Ordinal);
    }

    /// <summary>Another container in the network of silos, without a certificate, gets no further than to TLS.</summary>
    [Fact]
    public async Task SiloPort_WithoutACertificate_Refuses()
    {
        var silo = (await Cluster.ContainersAsync("silo"))[0];
        var image = (await Engine.InspectAsync((await Cluster.ContainersAsync("redis"))[0])).GetProperty("Config").GetProperty("Image").GetString()!;
        var script = $"exec 3<>/dev/tcp/{await Cluster.AddressAsync(silo)}/8002; printf 'CTF\\001aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' >&3; timeout 5 cat <&3 | wc -c";

        var answered = await Engine.DockerAsync("run", "--rm", "--network", $"{Cluster.Project}_inside", "--entrypoint", "bash", image, "-c", script);

        Assert.InRange(int.Parse(answered, CultureInfo.InvariantCulture), 0, 7);
        Assert.Contains("Refused a connection", await Engine.DockerAsync("logs", silo), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ports_OnTheHost_AreTheGatewaysOnLoopback()
    {
        Assert.Empty(await PublishedAsync("redis"));
        Assert.Empty(await PublishedAsync("silo"));
        Assert.Equal(
            [$"127.0.0.1:{Cluster.HttpPort}", $"127.0.0.1:{Cluster.GrpcPort}"],
            (await PublishedAsync("gateway")).OrderBy(published => published.EndsWith(Cluster.GrpcPort.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));
    }

    /// <param name="writable">The one place that it may write to.</param>
    private async Task CheckAsync(string service, string user, string writable)
    {
        foreach (var container in await Cluster.ContainersAsync(service))
        {
            var process = await ProcessAsync(container);
            var status = (await File.ReadAllLinesAsync($"/proc/{process}/status"))
                .Select(static line => line.Split(':', 2)).ToDictionary(static pair => pair[0], static pair => pair[1].Trim());
            Assert.Equal([user, user, user, user], status["Uid"].Split('\t'));
            Assert.Equal([user, user, user, user], status["Gid"].Split('\t'));
            foreach (var set in new[] { "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb" })
            {
                Assert.Equal(NoCapabilities, status[set]);
            }

            Assert.Equal("1", status["NoNewPrivs"]);
            Assert.Equal("2", status["Seccomp"]);
            Assert.Equal([writable], await WritableMountsAsync(process));
            var host = (await Engine.InspectAsync(container)).GetProperty("HostConfig");
            Assert.True(host.GetProperty("Memory").GetInt64() > 0);
            Assert.True(host.GetProperty("PidsLimit").GetInt64() > 0);
            Assert.Equal("unless-stopped", host.GetProperty("RestartPolicy").GetProperty("Name").GetString());
        }
    }

    private static async Task<int> ProcessAsync(string container) =>
        (await Engine.InspectAsync(container)).GetProperty("State").GetProperty("Pid").GetInt32();

    /// <summary>Mount points that are not read-only, without those that the engine makes for every container.</summary>
    private static async Task<IEnumerable<string>> WritableMountsAsync(int process) =>
        (await File.ReadAllLinesAsync($"/proc/{process}/mountinfo"))
            .Select(static line => line.Split(' '))
            .Where(static fields => fields[5].Split(',').Contains("rw"))
            .Select(static fields => fields[4])
            .Where(static point => !EnginesMounts.Any(known => point == known || point.StartsWith(known + "/", StringComparison.Ordinal)));

    private async Task<IReadOnlyList<string>> PublishedAsync(string service)
    {
        var published = new List<string>();
        foreach (var container in await Cluster.ContainersAsync(service))
        {
            var ports = (await Engine.InspectAsync(container)).GetProperty("NetworkSettings").GetProperty("Ports");
            published.AddRange(ports.EnumerateObject()
                .Where(static port => port.Value.ValueKind == JsonValueKind.Array)
                .SelectMany(static port => port.Value.EnumerateArray())
                .Select(static port => $"{port.GetProperty("HostIp").GetString()}:{port.GetProperty("HostPort").GetString()}"));
        }

        return published;
    }
}
