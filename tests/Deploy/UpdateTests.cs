using System.Globalization;
using Cluster.Deploy.Support;
using Xunit;

namespace Cluster.Deploy;

/// <summary>Silos are replaced by ones of another image, one after the other, under 100 requests a second, and no request fails.</summary>
public sealed class UpdateTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
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

    /// <summary>Builds an image from the silo's with one more line.</summary>
    private async Task DeriveAsync(string name, string line)
    {
        var folder = Directory.CreateTempSubdirectory("cluster-image-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "Dockerfile"), $"FROM {Cluster.SiloImage}\n{line}\n");
            await Engine.DockerAsync("build", "--tag", name, folder.FullName);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
