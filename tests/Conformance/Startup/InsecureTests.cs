using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Startup;

/// <summary>A process that may listen beyond loopback without TLS says so, for people and for monitors.</summary>
public sealed class InsecureTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Start_SaysWhetherItIsInsecure(bool isInsecure)
    {
        using var models = ModelFolder.Create();
        await using var server = await ServerProcess.StartAsync(["--models", models.Path, .. isInsecure ? ["--insecure"] : Array.Empty<string>()]);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });

        var page = await MetricsPage.ReadAsync(http, server.HttpUrl);

        Assert.Equal(isInsecure ? 1 : 0, page.Sum("cluster_insecure"));
        Assert.Equal(isInsecure, server.Output.Contains("(--insecure)", StringComparison.Ordinal));
    }
}
