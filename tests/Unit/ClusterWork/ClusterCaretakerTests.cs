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
    public async Task TellOfLost_SiloDied_ModelsThatHadReplicasThereAreTold()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B, Silos.C);
        bench.Publish("there", Silos.B, Silos.C);
        bench.Publish("elsewhere", Silos.C);
        bench.Membership.Set(Silos.B, SiloStatus.Dead);

        await bench.Caretaker().TellOfLostAsync(CancellationToken.None).Soon();

        Assert.Equal([$"lost {Silos.B}"], bench.Grains.Model("there").Silos);
        Assert.Empty(bench.Grains.Model("elsewhere").Silos);
    }

    [Fact]
    public async Task LoadAhead_Room_ModelsNotInMemoryAreLoaded()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        bench.Registrations.Publish(Registration("m"));
        bench.Publish("m");
        foreach (var silo in (SiloAddress[])[Silos.A, Silos.B])
        {
            bench.SiloStates.Publish(new SiloState { Silo = silo, Capacity = 1L << 40 });
        }

        await bench.Caretaker().LoadAheadAsync(CancellationToken.None).Soon();

        Assert.Equal(["ensure"], bench.Grains.Model("m").Calls);
    }

    [Fact]
    public async Task LoadAhead_ModelsWithFewerReplicasThanTheirLeast_AreToldToLook()
    {
        using var bench = new ClusterBench(Silos.A, Silos.B);
        foreach (var (model, least) in new[] { ("two", 2), ("one", 1) })
        {
            bench.Registrations.Publish(Registration(model) with { Settings = new ModelSettings { MinCopies = least } });
            bench.Publish(model, Silos.A);
        }

        await bench.Caretaker().LoadAheadAsync(CancellationToken.None).Soon();

        Assert.Equal((1, 0), (bench.Grains.Looks("two"), bench.Grains.Looks("one")));
    }

    [Fact]
    public async Task LoadAhead_Alone_DoesNothing()
    {
        using var bench = new ClusterBench(Silos.A);
        bench.Registrations.Publish(Registration("m"));
        bench.Publish("m");
        bench.SiloStates.Publish(new SiloState { Silo = Silos.A, Capacity = 1L << 40 });

        await bench.Caretaker().LoadAheadAsync(CancellationToken.None).Soon();

        Assert.Empty(bench.Grains.Model("m").Calls);
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
        var chosen = LoadAhead.Choose(bench.States.All, silos, (_, _) => 90, new ClusterWorkOptions());

        Assert.Equal([("new", 1L), ("mid", 1L)], chosen);
    }

    private static ModelRegistration Registration(string name) => new()
    {
        Name = name,
        Versions = [new ModelVersionSource(1, Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), "r")],
    };
}
