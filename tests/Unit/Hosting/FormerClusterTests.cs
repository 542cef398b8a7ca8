using Cluster.Contracts;
using Cluster.Contracts.Nodes;
using Cluster.Tests.Common;
using Cluster.Unit.Tracing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Hosting;

/// <summary>What gateways of the version before ask of a silo of this one.</summary>
public sealed class FormerClusterTests
{
    /// <param name="key">Of the whole cluster; null for that of the silo.</param>
    [Theory]
    [InlineData("0")]
    [InlineData(null)]
    public async Task Describe_ByTheFormerType_IsAnsweredAsByTheSilosOwn(string? key)
    {
        var app = await ServeHosts.StartAsync(("Cluster:Models", TestPaths.DemoModels), ("Cluster:PollSeconds", "0"));
        var grains = app.Services.GetRequiredService<IGrainFactory>();
        var silo = app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

        var asked = key is null ? grains.GetFormerCluster(silo) : grains.GetGrain<IClusterGrain>(GrainId.Create(ClusterGrains.FormerClusterType, key));
        var former = await asked.DescribeAsync().AsTask().Soon();
        var own = await grains.GetCluster(silo).DescribeAsync().AsTask().Soon();

        Assert.Equal(silo.ToParsableString(), Assert.Single(former.Nodes).Silo);
        Assert.Equal(own.Id, former.Id);
        Assert.True(await asked.ReadModelAsync("identity", CancellationToken.None).AsTask().Soon());
        await app.EndAsync();
    }
}
