using Cluster.Deploy.Support;
using Xunit;

namespace Cluster.Deploy;

/// <summary>Who reaches whom.</summary>
public sealed class NetworkTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    [Fact]
    public async Task ClientsNetwork_ReachesTheGatewayAndNothingElse()
    {
        var redis = (await Cluster.ContainersAsync("redis"))[0];
        var silo = (await Cluster.ContainersAsync("silo"))[0];
        var gateway = (await Cluster.ContainersAsync("gateway"))[0];
        var (redisAddress, siloAddress) = (await Cluster.AddressAsync(redis), await Cluster.AddressAsync(silo));

        var found = await ConnectAsync(
            "clients",
            (await Cluster.AddressAsync(gateway, "clients"), 8000),
            (await Cluster.AddressAsync(gateway, "clients"), 8001),
            (redisAddress, 6379),
            (siloAddress, 8000),
            (siloAddress, 8002),
            (await Cluster.AddressAsync(gateway), 8000));

        Assert.Equal("open open closed closed closed closed", found);
    }

    /// <summary>The same attempts from inside succeed, so that it is the networks that keep the others out. And nothing inside reaches out.</summary>
    [Fact]
    public async Task InsideNetwork_ReachesItsOwnAndNothingOutside()
    {
        var gateway = (await Cluster.ContainersAsync("gateway"))[0];

        var found = await ConnectAsync(
            "inside",
            (await Cluster.AddressAsync((await Cluster.ContainersAsync("redis"))[0]), 6379),
            (await Cluster.AddressAsync((await Cluster.ContainersAsync("silo"))[0]), 8000),
            (await Cluster.AddressAsync((await Cluster.ContainersAsync("silo"))[0]), 8002),
            (await Cluster.AddressAsync(gateway, "clients"), 8000));

        Assert.Equal("open open open closed", found);
    }

    /// <summary>Tries to connect from a container in one of the networks; "open" or "closed" for each.</summary>
    private async Task<string> ConnectAsync(string network, params (string Address, int Port)[] targets)
    {
        var image = (await Engine.InspectAsync((await Cluster.ContainersAsync("redis"))[0])).GetProperty("Config").GetProperty("Image").GetString()!;
        var script = string.Join(' ', targets.Select(static (target, index) =>
            $"(timeout 3 bash -c '</dev/tcp/{target.Address}/{target.Port}' 2>/dev/null && echo {index} open || echo {index} closed) &")) + " wait";
        var found = await Engine.DockerAsync("run", "--rm", "--network", $"{Cluster.Project}_{network}", "--entrypoint", "bash", image, "-c", script);
        return string.Join(' ', found.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order().Select(static line => line.Split(' ')[1]));
    }
}
