using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy.Support;

/// <summary>What the tests share: a whole cluster when they begin, and its logs where they fail.</summary>
[Collection(ComposeCollection.Name)]
public abstract class ComposeTest(ComposeCluster cluster, ITestOutputHelper output) : IAsyncLifetime
{
    internal const double Rate = 100;

    /// <summary>How long the cluster may take to be whole again after any fault.</summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    protected ComposeCluster Cluster { get; } = cluster;

    public async ValueTask InitializeAsync()
    {
        Requires.NoLack(Engine.MissingReason);
        if ((await Cluster.ContainersAsync("silo")).Count != ComposeCluster.Silos)
        {
            await Cluster.ScaleAsync(ComposeCluster.Silos);
        }

        await Cluster.WholeAsync(ComposeCluster.Silos, Soon);
    }

    public async ValueTask DisposeAsync() => output.WriteLine(await Cluster.LogsAsync());

    /// <summary>Does something to the cluster under a load of 100 requests a second; no request may fail.</summary>
    internal async Task UnderLoadAsync(string what, Func<Task<string>> work)
    {
        await using var load = await OpenLoad.StartAsync(Cluster, ServedModels.Targets, Rate);
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var found = await work();
        await load.GoOnAsync(TimeSpan.FromSeconds(2));
        var report = await load.StopAsync();

        output.WriteLine(Figures.Report($"{what}: {found}; {report}"));
        report.AssertNoFailure();
    }
}
