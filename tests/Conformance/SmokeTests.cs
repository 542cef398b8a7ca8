using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance;

public sealed class SmokeTests
{
    [Fact]
    public async Task Server_WithDemoModels_BecomesReady()
    {
        await using var server = await ServerProcess.StartAsync("--models", TestPaths.DemoModels);
        using var http = new HttpClient();
        using var answer = await http.GetAsync(new Uri(server.HttpUrl + "/v2/health/ready"));
        Assert.True(answer.IsSuccessStatusCode);
    }
}
