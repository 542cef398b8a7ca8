namespace Cluster.Contracts.Wire;

/// <summary>Field numbers of <c>ModelInferRequest</c> and <c>ModelInferResponse</c> (inference.proto).</summary>
public static class InferFields
{
    public const int ModelName = 1;
    public const int ModelVersion = 2;
    public const int Id = 3;
    public const int Parameters = 4;

    /// <summary><c>inputs</c> of a request, <c>outputs</c> of a response.</summary>
    public const int Tensors = 5;

    public const int RequestedOutputs = 6;
    public const int RawInputContents = 7;
    public const int RawOutputContents = 6;

    public const int TensorName = 1;
    public const int TensorDatatype = 2;
    public const int TensorShape = 3;
    public const int TensorParameters = 4;
    public const int TensorContents = 5;
}
