using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>Silos are replaced by ones of another image, one after the other, under 100 requests a second, and no request fails.</summary>
public sealed class UpdateTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    /// <summary>After which a client has tried a gateway again that was away.</summary>
    private static readonly TimeSpan Reconnected = TimeSpan.FromSeconds(15);

    [Fact]
    public Task Update_ToAnotherImage_UnderLoad_ReplacesEverySiloAndNoRequestFails() => UnderLoadAsync("deploy/update", async () =>
    {
        var before = await Cluster.ContainersAsync("silo");
        await DeriveAsync(Cluster.SiloImage, "LABEL derived=yes");
        var start = TimeProvider.System.GetTimestamp();
        await Cluster.UpdateAsync(Cluster.SiloImage);
        var took = TimeProvider.System.GetElapsedTime(start);
        await Cluster.WholeAsync(ComposeCluster.Silos, Soon);

        var after = await Cluster.ContainersAsync("silo");
        Assert.Equal(ComposeCluster.Silos, after.Count);
        Assert.Empty(after.Intersect(before));
        foreach (var container in after)
        {
            Assert.Equal("yes", (await Engine.InspectAsync(container)).GetProperty("Config").GetProperty("Labels").GetProperty("derived").GetString());
        }

        return string.Create(CultureInfo.InvariantCulture, $"{ComposeCluster.Silos} silos replaced in {took.TotalSeconds:0.0} s");
    });

    [Fact]
    public Task Update_ToABrokenImage_UnderLoad_HaltsAndNoRequestFails() => UnderLoadAsync("deploy/update to a broken image", async () =>
    {
        var before = await Cluster.ContainersAsync("silo");
        var broken = Cluster.Project + "-broken:test";
        await DeriveAsync(broken, """CMD ["silo", "--no-such-option"]""");
        try
        {
            var halted = await Assert.ThrowsAsync<InvalidOperationException>(() => Cluster.UpdateAsync(broken));
            Assert.Contains("0 of 3 silos have been replaced", halted.Message, StringComparison.Ordinal);
            Assert.Contains("--no-such-option", halted.Message, StringComparison.Ordinal);
        }
        finally
        {
            await Engine.DockerAsync("rmi", "--force", broken);
        }

        await Cluster.WholeAsync(ComposeCluster.Silos, Soon);
        Assert.Equal(before.Order(), (await Cluster.ContainersAsync("silo")).Order());
        return "halted, every silo as before";
    });

    /// <summary>A client that has both addresses: first an image that does not start, whose place the old one takes back, then one that does.</summary>
    [Fact]
    public async Task Update_OfTwoGateways_UnderLoad_ReplacesBothAndNoRequestFails()
    {
        var first = FreeRange(4);
        (string, string)[] ports = [("HTTP_PORT", $"{first}-{first + 1}"), ("GRPC_PORT", $"{first + 2}-{first + 3}")];
        var (image, broken) = (Cluster.Project + "-next:test", Cluster.Project + "-brokengateway:test");
        await DeriveAsync(image, "LABEL derived=yes", Cluster.GatewayImage);
        await DeriveAsync(broken, """CMD ["gateway", "--no-such-option"]""", Cluster.GatewayImage);
        try
        {
            await Cluster.ScaleGatewaysAsync(2, ports);
            var before = await Cluster.ContainersAsync("gateway");
            await using var load = await GatewayList.StartAsync(Cluster.Root, [first + 2, first + 3], ServedModels.Targets, Rate);
            var halted = await Assert.ThrowsAsync<InvalidOperationException>(() => Cluster.UpdateAsync([.. ports, ("GATEWAY_IMAGE", broken)]));
            Assert.Contains("0 of 2 gateways have been replaced", halted.Message, StringComparison.Ordinal);
            await Cluster.GatewaysHealthyAsync(2);
            await Task.Delay(Reconnected);
            var start = TimeProvider.System.GetTimestamp();
            await Cluster.UpdateAsync([.. ports, ("GATEWAY_IMAGE", image)]);
            var took = TimeProvider.System.GetElapsedTime(start);
            var report = await load.StopAsync();

            Figures.Report(string.Create(CultureInfo.InvariantCulture,
                $"deploy/update, 2 gateways and {ComposeCluster.Silos} silos in {took.TotalSeconds:0.0} s: {report.Requests} requests by a client with both addresses, {report.Failed} failed, the slowest took {report.SlowestMs:0} ms"));
            Assert.True(report.Failed == 0, string.Join('\n', report.Failures));
            var after = await Cluster.ContainersAsync("gateway");
            Assert.Equal(2, after.Count);
            Assert.Empty(after.Intersect(before));
            foreach (var container in after)
            {
                Assert.Equal("yes", (await Engine.InspectAsync(container)).GetProperty("Config").GetProperty("Labels").GetProperty("derived").GetString());
            }
        }
        finally
        {
            await Cluster.ScaleGatewaysAsync(1);
            await Engine.DockerAsync("rmi", "--force", image, broken);
        }
    }

    [Fact]
    public async Task CommandLine_InTheGatewaysContainer_ShowsTheCluster()
    {
        var models = await Engine.DockerAsync("exec", (await Cluster.ContainersAsync("gateway"))[0], "cluster", "get", "models");

        Assert.Matches(@"^MODEL +VERSION +STATE", models);
        Assert.Matches(@"\ndigits +1 +READY", models);
    }

    /// <summary>The first of so many ports one after the other that are free now.</summary>
    private static int FreeRange(int count)
    {
        while (true)
        {
            var first = FreePort.Take();
            var listeners = new List<TcpListener>();
            try
            {
                for (var port = first; port < first + count; port++)
                {
                    var listener = new TcpListener(IPAddress.Loopback, port);
                    listeners.Add(listener);
                    listener.Start();
                }

                return first;
            }
            catch (SocketException)
            {
                // One of them is taken: another place is looked for.
                continue;
            }
            finally
            {
                listeners.ForEach(static listener => listener.Dispose());
            }
        }
    }

    /// <summary>Builds an image from another, by default the silo's, with one more line.</summary>
    private async Task DeriveAsync(string name, string line, string? from = null)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-image-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "Dockerfile"), $"FROM {from ?? Cluster.SiloImage}\n{line}\n");
            await Engine.DockerAsync("build", "--tag", name, folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
