using System.Collections.Immutable;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Contracts.Wire;
using Cluster.Gateway.Serving;
using Xunit;

namespace Cluster.Unit.Serving;

/// <summary>What clients such as Triton's image client and perf_analyzer read of the configuration.</summary>
public sealed class ModelMessagesTests
{
    private static readonly ModelDescription Whole = new()
    {
        Name = "m",
        Version = 1,
        Inputs = [new TensorSpec("image", Datatype.Fp32, [-1, 3, 224, 224], false), new TensorSpec("scale", Datatype.Fp32, [1], true)],
        Outputs = [new TensorSpec("class", Datatype.Fp32, [-1, 1000], false)],
        ExecutionProvider = ExecutionProvider.Cpu,
        Concurrency = 1,
        IntraOpThreads = 1,
        QueueLimit = 1,
        VersionPolicy = VersionPolicy.All,
        FileName = "model.onnx",
        Labels = ImmutableSortedDictionary<string, string>.Empty,
        Properties = ImmutableSortedDictionary<string, string>.Empty,
    };

    [Fact]
    public void Config_WithoutBatch_TellsWholeShapes()
    {
        var config = ModelMessages.Config(Whole);

        Assert.Equal(0, config.MaxBatchSize);
        Assert.Equal([-1L, 3, 224, 224], config.Input[0].Dims);
        Assert.Equal(ModelInput.Types.Format.None, config.Input[0].Format);
        Assert.DoesNotContain("unserved_outputs", config.Parameters.Keys);
    }

    /// <summary>As with Triton, whose ONNX backend does not know them at all.</summary>
    [Fact]
    public void Inputs_WithADefault_AreInTheConfigurationAlone()
    {
        Assert.Equal(["image"], ModelMessages.Metadata(Whole, ["1"]).Inputs.Select(static input => input.Name));
        Assert.Equal([("image", false), ("scale", true)], ModelMessages.Config(Whole).Input.Select(static input => (input.Name, input.Optional)));
    }

    [Fact]
    public void Config_WithBatching_TellsIt()
    {
        var config = ModelMessages.Config(Whole with
        {
            Batching = new BatchingSettings { MaxSize = 32, PreferredSizes = [8, 16], MaxDelay = TimeSpan.FromMilliseconds(2) },
        });

        Assert.Equal([8, 16], config.DynamicBatching.PreferredBatchSize);
        Assert.Equal(2000ul, config.DynamicBatching.MaxQueueDelayMicroseconds);
        Assert.Equal("32", config.Parameters["batching_max_size"].StringValue);
        Assert.Null(ModelMessages.Config(Whole).DynamicBatching);
    }

    [Fact]
    public void Config_WithBatchAndFormat_TellsDimsWithoutTheBatchAndMetadataWithIt()
    {
        var model = Whole with
        {
            MaxBatchSize = 8,
            Formats = ImmutableSortedDictionary<string, ImageFormat>.Empty.Add("image", ImageFormat.Nchw),
            Unserved = ImmutableSortedDictionary<string, string>.Empty.Add("probabilities", "is a sequence"),
        };

        var config = ModelMessages.Config(model);

        Assert.Equal(8, config.MaxBatchSize);
        Assert.Equal([3L, 224, 224], config.Input[0].Dims);
        Assert.Equal([1L], config.Input[1].Dims);
        Assert.Equal([1000L], config.Output[0].Dims);
        Assert.Equal(ModelInput.Types.Format.Nchw, config.Input[0].Format);
        Assert.Equal("probabilities", config.Parameters["unserved_outputs"].StringValue);
        Assert.Equal([-1L, 3, 224, 224], ModelMessages.Metadata(model, ["1"]).Inputs[0].Shape);
    }
}
