using Cluster.ClusterTests.Support;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Drain;

/// <summary>
/// A cluster of the version before is replaced under load, process by process. <c>PREVIOUS_PROGRAM=…/cluster-silo ./test soak -class '*RollingUpdateTests'</c>
/// takes that of another build.
/// </summary>
[Collection(RoomyCluster.Name)]
public sealed class RollingUpdateTests(RoomyCluster shared, ITestOutputHelper output) : ClusterTest(shared, output)
{
    /// <summary>What a request may wait while a silo starts or leaves, on a machine that starts it beside all others.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    [Theory]
    [Trait("Category", "Soak")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Update_ProcessByProcess_NoRequestFails(bool gatewayFirst)
    {
        using var previous = PreviousProgram.Find();
        await using var cluster = await OwnClusterAsync(new ClusterSetup { Gateways = 1, Program = previous.Path });
        var models = await RegisterAsync(cluster, "model", 4, OnnxModels.Small, TwoCopies);
        var loads = new List<OpenLoad> { await OpenLoad.StartAsync(new Gateway(cluster.Gateways[0]), models) };
        var reports = new List<LoadReport>();
        try
        {
            if (gatewayFirst)
            {
                await ReplaceGatewayAsync();
            }

            foreach (var old in cluster.Silos.ToList())
            {
                await cluster.AddSiloAsync();
                await cluster.WholeAsync();
                await EndAsync(old);
                await loads[^1].GoOnAsync(TimeSpan.FromSeconds(1));
            }

            if (!gatewayFirst)
            {
                await ReplaceGatewayAsync();
            }

            reports.Add(await loads[^1].StopAsync());
            await cluster.UntilAsync(view => models.All(model => view.SilosOf(model.Model).Distinct().Count() == 2), Patience, gateway: 1);
        }
        finally
        {
            foreach (var load in loads)
            {
                await load.DisposeAsync();
            }
        }

        Assert.Equal(2, reports.Count);
        foreach (var report in reports)
        {
            Output.WriteLine($"{report}");
            report.AssertNoFailure();
            report.AssertNoneSlowerThan(Longest, "each process replaced in turn");
        }

        async Task ReplaceGatewayAsync()
        {
            var old = cluster.Gateways[0];
            var added = await cluster.AddGatewayAsync();
            await cluster.WholeAsync();
            loads.Add(await OpenLoad.StartAsync(new Gateway(added), models));
            reports.Add(await loads[0].StopAsync());
            await EndAsync(old);
        }
    }

    private static async Task EndAsync(ClusterProcess process)
    {
        process.Terminate();
        await process.WaitForExitAsync(Patience);
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>A load's target: one gateway.</summary>
    private sealed class Gateway(ClusterProcess process) : IGateways
    {
        public IReadOnlyList<string> GrpcTargets { get; } = [process.GrpcTarget];
    }
}
