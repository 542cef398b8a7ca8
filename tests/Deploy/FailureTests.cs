using System.Globalization;
using Cluster.Deploy.Support;
using Xunit;

namespace Cluster.Deploy;

/// <summary>Containers die, come, go and start again under 100 requests a second, and no request fails.</summary>
public sealed class FailureTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    /// <summary>Within which a new silo has to have taken work, its container's start included.</summary>
    private static readonly TimeSpan Seconds = TimeSpan.FromSeconds(45);

    [Fact]
    public Task SiloKilled_UnderLoad_NoRequestFailsAndItRejoins() => UnderLoadAsync("docker kill of a silo", async () =>
    {
        var (container, before) = await BusiestAsync();
        await Engine.DockerAsync("kill", container);
        var noticed = await Cluster.UntilAsync(view => !view.IsActive(before), Soon);
        var whole = noticed + await Cluster.WholeAsync(ComposeCluster.Silos - 1, Soon);
        await Engine.DockerAsync("start", container);
        var back = await Cluster.SpreadAsync(ComposeCluster.Silos, Soon);
        Assert.False((await Cluster.ViewAsync()).IsActive(before), "the run that was killed is a member again");
        return string.Create(CultureInfo.InvariantCulture, $"noticed after {noticed.TotalSeconds:0.0} s, whole after {whole.TotalSeconds:0.0} s, back {back.TotalSeconds:0.0} s after its start");
    });

    [Fact]
    public Task SiloRestarted_UnderLoad_NoRequestFailsAndItRejoinsAsANewGeneration() => UnderLoadAsync("docker restart of a silo", async () =>
    {
        var (container, before) = await BusiestAsync();
        await Engine.DockerAsync("restart", "-t", "45", container);
        var back = await Cluster.SpreadAsync(ComposeCluster.Silos, Soon);
        var address = await Cluster.AddressAsync(container);
        var after = (await Cluster.ViewAsync()).Active.Select(static node => node.Silo).Single(silo => silo.Contains(address + ":", StringComparison.Ordinal));
        Assert.NotEqual(before, after);
        return string.Create(CultureInfo.InvariantCulture, $"whole {back.TotalSeconds:0.0} s after the restart; {before} became {after}");
    });

    [Fact]
    public Task Scale_ToFiveAndBackToTwo_UnderLoad_NewSilosTakeWorkAndNoRequestFails() => UnderLoadAsync("scale 3 to 5 to 2", async () =>
    {
        var start = TimeProvider.System.GetTimestamp();
        await Cluster.ScaleAsync(5);
        await Cluster.SpreadAsync(5, Seconds);
        var up = TimeProvider.System.GetElapsedTime(start);
        Assert.InRange(up, TimeSpan.Zero, Seconds);
        var since = DateTimeOffset.FromUnixTimeSeconds(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        start = TimeProvider.System.GetTimestamp();
        await Cluster.ScaleAsync(2);
        var down = TimeProvider.System.GetElapsedTime(start);
        await Cluster.WholeAsync(2, Soon);
        Assert.Equal(["0", "0", "0"], await ExitCodesAsync(since));
        return string.Create(CultureInfo.InvariantCulture, $"5 silos with replicas after {up.TotalSeconds:0.0} s, 3 of them drained and gone after {down.TotalSeconds:0.0} s");
    });

    [Fact]
    public Task RedisRestarted_UnderLoad_NoRequestForALoadedModelFails() => UnderLoadAsync("docker restart of redis", async () =>
    {
        var before = (await Cluster.ViewAsync()).Active.Select(static node => node.Silo).Order().ToList();
        var start = TimeProvider.System.GetTimestamp();
        await Engine.DockerAsync("restart", (await Cluster.ContainersAsync("redis"))[0]);
        var away = TimeProvider.System.GetElapsedTime(start);
        await Cluster.WholeAsync(ComposeCluster.Silos, Soon);
        Assert.Equal(before, (await Cluster.ViewAsync()).Active.Select(static node => node.Silo).Order());
        return string.Create(CultureInfo.InvariantCulture, $"redis away for at most {away.TotalSeconds:0.0} s");
    });

    /// <summary>The silo with the most replicas: its container, and how the cluster calls it.</summary>
    private async Task<(string Container, string Silo)> BusiestAsync()
    {
        var view = await Cluster.ViewAsync();
        var silo = view.Active.OrderByDescending(node => view.ReplicasOn(node.Silo, view.Models.Keys)).First().Silo;
        foreach (var container in await Cluster.ContainersAsync("silo"))
        {
            if (silo.Contains(await Cluster.AddressAsync(container) + ":", StringComparison.Ordinal))
            {
                return (container, silo);
            }
        }

        throw new InvalidOperationException($"no container has the address of {silo}");
    }

    /// <summary>Of the silos that ended since. The engine takes whole seconds: up to the end of this one, for which it waits.</summary>
    private async Task<IEnumerable<string>> ExitCodesAsync(DateTimeOffset since) => (await Engine.DockerAsync(
            "events",
            "--since", since.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
            "--until", (TimeProvider.System.GetUtcNow().ToUnixTimeSeconds() + 1).ToString(CultureInfo.InvariantCulture),
            "--filter", "event=die",
            "--filter", $"label=com.docker.compose.project={Cluster.Project}",
            "--filter", "label=com.docker.compose.service=silo",
            "--format", "{{.Actor.Attributes.exitCode}}"))
        .Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
