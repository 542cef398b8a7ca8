namespace Cluster.Bench.Clients;

/// <summary>One request that is sent over and over: a model with one FP32 input and one FP32 output.</summary>
/// <param name="Shape">Of the input, outermost first; its product is <paramref name="Input"/>'s length.</param>
/// <param name="Expected">The output's elements, as ONNX Runtime computed them in this process.</param>
internal sealed record InferWorkload(string Model, string InputName, long[] Shape, float[] Input, string OutputName, float[] Expected);
