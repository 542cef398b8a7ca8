using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Models;
using Xunit;

namespace Cluster.Unit.Grains;

public sealed class ModelGrainStateTests
{
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
            Loaded = ImmutableSortedDictionary<long, LoadedCopy>.Empty.Add(1, new LoadedCopy(1, "r1", "s1")),
            Failed = ImmutableSortedDictionary<long, FailedLoad>.Empty.Add(2, new FailedLoad("r2", "s1", "broken")),
        };

        var json = JsonSerializer.Serialize(state);
        var copy = JsonSerializer.Deserialize<ModelGrainState>(json)!;

        Assert.Equal(json, JsonSerializer.Serialize(copy));
        Assert.Equal(state.Registration.VersionPolicy, copy.Registration!.VersionPolicy);
        Assert.Equal(state.Loaded[1], copy.Loaded[1]);
        Assert.Equal(new DimensionRange(1, 8), copy.Registration.Settings.BatchSize);
    }
}
