using Cluster.Contracts;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Hosting;

/// <summary>What gateways of the version before ask of a silo of this one.</summary>
public sealed class FormerClusterTests
{
    [Fact]
    public async Task Describe_ByTheFormerKey_IsAnsweredAsByTheSilosOwn()
    {
        var app = await ServeHosts.StartAsync(("Cluster:Models", TestPaths.DemoModels), ("Cluster:PollSeconds", "0"));
        var grains = app.Services.GetRequiredService<IGrainFactory>();
        var silo = app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

        var former = await grains.GetFormerCluster().DescribeAsync().AsTask().Soon();
        var own = await grains.GetCluster(silo).DescribeAsync().AsTask().Soon();

        Assert.Equal(silo.ToParsableString(), Assert.Single(former.Nodes).Silo);
        Assert.Equal(own.Id, former.Id);
        Assert.True(await grains.GetFormerCluster().ReadModelAsync("identity", CancellationToken.None).AsTask().Soon());
        await app.EndAsync();
    }
}
