using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Models;
using Cluster.Grains.Scaling;
using Cluster.Unit.Clustering;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelGrainStateTests
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Grain storage keeps state as JSON: what does not come back equal would be lost when a model's grain is deactivated.</summary>
    [Fact]
    public void State_ThroughJson_ComesBackWhole()
    {
        var state = new ModelGrainState
        {
            Registration = new ModelRegistration
            {
                Name = "m",
                Versions = [new ModelVersionSource(1, "/m/1/model.onnx", "r1"), new ModelVersionSource(2, "", "r2", "no file")],
                VersionPolicy = VersionPolicy.Specific([2, 1]),
                SettingsRevision = "s1",
                Settings = new ModelSettings
                {
                    QueueLimit = 5,
                    BatchSize = new DimensionRange(1, 8),
                    InputShapes = ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>>.Empty.Add("x", [DimensionRange.Any]),
                    Labels = ImmutableSortedDictionary<string, string>.Empty.Add("y", "labels.txt"),
                },
            },
            Unloaded = true,
            Loaded = ImmutableSortedDictionary<long, LoadedVersion>.Empty.Add(1, new LoadedVersion([ReplicaStates.At(1), ReplicaStates.At(3, silo: 2)], "r1", "s1", Target: 2)),
            Past = ImmutableSortedDictionary<long, PastLoads>.Empty.Add(1, new PastLoads(null, new ReplicaStatistics { InferenceCount = 7 })),
            Arriving = new ModelGrainState().Arriving.Add(1, [ReplicaStates.At(4)]),
            NextReplica = ImmutableSortedDictionary<long, int>.Empty.Add(1, 5),
            FailedOn = ImmutableSortedDictionary<long, ImmutableArray<SiloFailure>>.Empty.Add(1, [new SiloFailure(Silos.B, "r1", "s1", Noon)]),
            Uses = ImmutableSortedDictionary<long, VersionUse>.Empty.Add(1, new VersionUse(Noon, new UseHistory(null, Noon))),
            Failed = ImmutableSortedDictionary<long, FailedLoad>.Empty.Add(2, new FailedLoad("r2", "s1", "broken")),
        };

        var json = JsonSerializer.Serialize(state);
        var replica = JsonSerializer.Deserialize<ModelGrainState>(json)!;

        Assert.Equal(json, JsonSerializer.Serialize(replica));
        Assert.Equal(state.Registration.VersionPolicy, replica.Registration!.VersionPolicy);
        Assert.Equal(state.Loaded[1].Replicas.ToArray(), replica.Loaded[1].Replicas.ToArray());
        Assert.Equal(7, replica.Past[1].Statistics!.InferenceCount);
        Assert.Equal(state.Arriving[1].ToArray(), replica.Arriving[1].ToArray());
        Assert.Equal(state.FailedOn[1][0], replica.FailedOn[1][0]);
        Assert.Equal(state.Uses[1], replica.Uses[1]);
        Assert.Equal(new DimensionRange(1, 8), replica.Registration.Settings.BatchSize);
    }

    /// <summary>A state that names its replicas in another way names none: they are loaded by their next request.</summary>
    [Fact]
    public void State_OfTheVersionBefore_ServesOnDemand()
    {
        const string Before = """{ "Loaded": { "1": { "Copies": [0], "Revision": "r1", "SettingsRevision": "s1", "Target": 1 } }, "Arriving": {} }""";

        Assert.True(ReplicaPlan.IsOnDemand(JsonSerializer.Deserialize<ModelGrainState>(Before)!, 1));
    }
}
