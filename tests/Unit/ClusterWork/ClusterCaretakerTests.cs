using Cluster.Contracts.Models;
using Cluster.Grains.Cluster;
using Cluster.Grains.Placement;
using Cluster.Tests.Common;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.ClusterWork;

public sealed class ClusterCaretakerTests
{
    [Fact]
    public async Task SiloDied_ModelsThatHadCopiesThere_AreToldAtOnce()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B, Silos.C);
        bench.Publish("there", Silos.B, Silos.C);
        bench.Publish("elsewhere", Silos.C);
        using var caretaker = bench.Caretaker();
        await caretaker.StartAsync(CancellationToken.None);

        bench.Membership.Set(Silos.B, SiloStatus.Dead);

        await UntilAsync(() => !bench.Grains.Model("there").Silos.IsEmpty);
        Assert.Equal([$"lost {Silos.B.ToParsableString()}"], bench.Grains.Model("there").Silos);
        Assert.Empty(bench.Grains.Model("elsewhere").Silos);
        await caretaker.StopAsync(CancellationToken.None).Soon();
    }

    [Fact]
    public async Task SiloDied_AnotherSiloLeads_IsLeftToIt()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B, Silos.At(0));
        bench.Publish("m", Silos.B);
        using var caretaker = bench.Caretaker();
        Assert.False(caretaker.IsLeader);
        await caretaker.StartAsync(CancellationToken.None);
        bench.Membership.Set(Silos.B, SiloStatus.Dead);
        Assert.Empty(bench.Grains.Model("m").Silos);

        // The leader dies before it told: the next one makes up for it.
        bench.Membership.Set(Silos.At(0), SiloStatus.Dead);

        await UntilAsync(() => !bench.Grains.Model("m").Silos.IsEmpty);
        await caretaker.StopAsync(CancellationToken.None).Soon();
    }

    [Fact]
    public async Task SiloJoined_ModelsNotInMemory_AreLoadedAhead()
    {
        using var bench = new ClusterBench(Silos.A);
        bench.Registrations.Publish(Registration("m"));
        bench.Publish("m");
        var loaded = new TaskCompletionSource();
        bench.Grains.Copy("m/1/0").Description = () =>
        {
            loaded.TrySetResult();
            return null!;
        };
        bench.SiloStates.Publish(new SiloState { Silo = Silos.A, Capacity = 1L << 40 });
        using var caretaker = bench.Caretaker();
        await caretaker.StartAsync(CancellationToken.None);

        bench.SiloStates.Publish(new SiloState { Silo = Silos.B, Capacity = 1L << 40 });
        bench.Membership.Set(Silos.B, SiloStatus.Active);

        // The delay is armed on a thread of the pool: the clock moves until it is.
        await UntilAsync(() =>
        {
            bench.Time.Advance(TimeSpan.FromSeconds(1));
            return loaded.Task.IsCompleted;
        });
        await caretaker.StopAsync(CancellationToken.None).Soon();
    }

    [Fact]
    public async Task SiloJoined_ModelsWithFewerCopiesThanTheirLeast_AreToldToLook()
    {
        using var bench = new ClusterBench(Silos.A);
        foreach (var (model, least) in new[] { ("two", 2), ("one", 1) })
        {
            bench.Registrations.Publish(Registration(model) with { Settings = new ModelSettings { MinCopies = least } });
            bench.Publish(model, Silos.A);
        }

        using var caretaker = bench.Caretaker();
        await caretaker.StartAsync(CancellationToken.None);

        bench.SiloStates.Publish(new SiloState { Silo = Silos.B, Capacity = 1000 });
        bench.Membership.Set(Silos.B, SiloStatus.Active);

        await UntilAsync(() =>
        {
            bench.Time.Advance(TimeSpan.FromSeconds(1));
            return bench.Grains.Looks("two") > 0;
        });
        Assert.Equal(0, bench.Grains.Looks("one"));
        await caretaker.StopAsync(CancellationToken.None).Soon();
    }

    [Fact]
    public void LoadAhead_FreeSpace_FillsHalfOfWhatIsAboveTheReserveMostRecentFirst()
    {
        using var bench = new ClusterBench();
        var noon = bench.Time.GetUtcNow();
        bench.Publish("old", noon.AddHours(-3));
        bench.Publish("new", noon);
        bench.Publish("mid", noon.AddHours(-1));
        bench.Publish("loaded", noon, Silos.A);
        bench.Publish("never");
        SiloState[] silos =
        [
            new() { Silo = Silos.A, Capacity = 800, Used = 300 },
            new() { Silo = Silos.B, Capacity = 800, Used = 700 },
            new() { Silo = Silos.C, Capacity = 800, Draining = true },
        ];

        // Above the reserve of 100 each: 400 and 0; half of it is 200.
        var chosen = LoadAhead.Choose(bench.States.All, silos, _ => 90, new ClusterOptions());

        Assert.Equal(["new/1/0", "mid/1/0"], chosen.Select(id => id.ToString()));
    }

    private static ModelRegistration Registration(string name) => new()
    {
        Name = name,
        Versions = [new ModelVersionSource(1, Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), "r")],
    };

    private static async Task UntilAsync(Func<bool> condition)
    {
        var limit = Task.Delay(Wait.Limit);
        while (!condition())
        {
            Assert.False(limit.IsCompleted, "nothing was told in time");
            await Task.Yield();
        }
    }
}
