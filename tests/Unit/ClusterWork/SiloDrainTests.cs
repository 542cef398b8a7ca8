using Cluster.Contracts.Models;
using Cluster.Grains.Models;
using Cluster.Grains.Placement;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.ClusterWork;

public sealed class SiloDrainTests
{
    private static readonly string Leaves = $"leave {Silos.A.ToParsableString()}";

    [Fact]
    public async Task Stopping_OthersAreThere_SaysSoAndHasEveryModelLeaveFourAtOnce()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        var gate = new TaskCompletionSource();
        var models = Enumerable.Range(0, 6).Select(number => $"m{number}").ToList();
        foreach (var model in models)
        {
            Assert.True(bench.Copies.TryEnter(new LocalCopy(new ModelCopyId(model, 1, 0), "r", "s")));
            bench.Grains.Model(model).Gate = gate.Task;
        }

        var stopping = bench.Drain().StoppingAsync(CancellationToken.None);

        Assert.True(bench.Draining.HasBegun);
        Assert.True(bench.Copies.IsDraining);
        var limit = Task.Delay(Wait.Limit);
        while (models.Count(model => !bench.Grains.Model(model).Silos.IsEmpty) < 4 && !limit.IsCompleted)
        {
            await Task.Yield();
        }

        Assert.Equal(4, models.Count(model => !bench.Grains.Model(model).Silos.IsEmpty));
        gate.SetResult();
        await stopping.Soon();
        Assert.All(models, model => Assert.Equal([Leaves], bench.Grains.Model(model).Silos));
    }

    [Fact]
    public async Task Stopping_Alone_DoesNothing()
    {
        using var bench = new ClusterBench(Silos.A);
        bench.Copies.TryEnter(new LocalCopy(new ModelCopyId("m", 1, 0), "r", "s"));

        await bench.Drain().StoppingAsync(CancellationToken.None).Soon();

        Assert.Empty(bench.Grains.Model("m").Silos);
        Assert.False(bench.Draining.HasBegun);
    }

    [Fact]
    public async Task Stopping_TheOthersLeaveToo_DoesNothing()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        bench.SiloStates.Publish(new SiloState { Silo = Silos.B, Capacity = 1, Draining = true });

        await bench.Drain().StoppingAsync(CancellationToken.None).Soon();

        Assert.False(bench.Copies.IsDraining);
    }

    [Fact]
    public async Task Stopping_AModelDoesNotGetDone_EndsWithinItsShareOfTheTime()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        bench.Copies.TryEnter(new LocalCopy(new ModelCopyId("m", 1, 0), "r", "s"));
        bench.Grains.Model("m").Gate = new TaskCompletionSource().Task;

        var stopping = bench.Drain().StoppingAsync(CancellationToken.None);
        Assert.False(stopping.IsCompleted);
        bench.Time.Advance(bench.Options.StopTimeout * bench.Options.DrainShare);

        await stopping.Soon();
    }
}
