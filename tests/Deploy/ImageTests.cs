using System.Globalization;
using System.Text.Json;
using Cluster.Deploy.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy;

/// <summary>What the images are.</summary>
public sealed class ImageTests(ComposeCluster cluster, ITestOutputHelper output) : ComposeTest(cluster, output)
{
    private const string NativeLibrary = "libonnxruntime.so";
    private const long MiB = 1 << 20;

    [Fact]
    public Task SiloImage_Built_IsAsSpecified() => CheckAsync("silo", Cluster.SiloImage, most: 72, hasNativeLibrary: true);

    [Fact]
    public Task GatewayImage_Built_IsAsSpecified() => CheckAsync("gateway", Cluster.GatewayImage, most: 42, hasNativeLibrary: false);

    /// <param name="most">What the image may add to its base, MiB.</param>
    private async Task CheckAsync(string role, string image, long most, bool hasNativeLibrary)
    {
        var inspected = await Engine.InspectAsync(image);
        var config = inspected.GetProperty("Config");
        Assert.Equal("5000:5000", config.GetProperty("User").GetString());
        Assert.Equal("SIGTERM", config.GetProperty("StopSignal").GetString());
        Assert.Equal(["CMD", "dotnet", "/app/cluster-silo.dll", "health"], Texts(config.GetProperty("Healthcheck").GetProperty("Test")));
        Assert.Equal(["dotnet", "/app/cluster-silo.dll"], Texts(config.GetProperty("Entrypoint")));
        Assert.Equal([role], Texts(config.GetProperty("Cmd")));
        var labels = config.GetProperty("Labels").EnumerateObject().ToDictionary(static label => label.Name, static label => label.Value.GetString());
        Assert.Equal("cluster-" + role, labels["org.opencontainers.image.title"]);
        foreach (var label in new[] { "description", "version", "revision", "licenses", "vendor" })
        {
            Assert.False(string.IsNullOrEmpty(labels["org.opencontainers.image." + label]), label);
        }

        var files = await FilesAsync(role);
        Assert.Contains("app/cluster-silo.dll", files);
        Assert.Superset(new HashSet<string> { "app/cluster-silo.cdx.json", "cli/cluster", "cli/cluster.dll", "cli/cluster.cdx.json" }, files);
        Assert.Equal(hasNativeLibrary, files.Contains("app/" + NativeLibrary));
        Assert.DoesNotContain(files, static file => file.EndsWith("/curl", StringComparison.Ordinal) || file.EndsWith("/wget", StringComparison.Ordinal));

        var size = inspected.GetProperty("Size").GetInt64();
        var added = size - (await Engine.InspectAsync(await BaseAsync())).GetProperty("Size").GetInt64();
        Figures.Report(string.Create(CultureInfo.InvariantCulture, $"{role} image: {size / MiB} MiB, of which {added / MiB} MiB are not its base"));
        Assert.InRange(added, MiB, most * MiB);
    }

    /// <summary>Everything in a container of the role, without leading slashes.</summary>
    private async Task<HashSet<string>> FilesAsync(string role)
    {
        var archive = Path.GetTempFileName();
        try
        {
            await Engine.DockerAsync("export", "--output", archive, (await Cluster.ContainersAsync(role))[0]);
            return [.. (await Command.RunAsync("tar", ["-tf", archive])).Split('\n')];
        }
        finally
        {
            File.Delete(archive);
        }
    }

    /// <summary>The base that the Dockerfile names.</summary>
    private async Task<string> BaseAsync() =>
        (await File.ReadAllLinesAsync(Path.Combine(Cluster.Root, "deploy", "Dockerfile")))
            .Single(static line => line.StartsWith("ARG ASPNET_IMAGE=", StringComparison.Ordinal)).Split('=')[1];

    private static IEnumerable<string?> Texts(JsonElement list) => list.EnumerateArray().Select(static text => text.GetString());
}
