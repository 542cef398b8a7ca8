namespace Cluster.Gateway.Metrics;

/// <summary>The calls that are counted by model; their names are the label's values.</summary>
internal enum ServingMethod
{
    ModelInfer,
    ModelMetadata,

    /// <summary>Counted by model, without a version.</summary>
    ModelReady,

    /// <summary>One request of a stream; gRPC alone has it.</summary>
    ModelInferStream,
}
