namespace Cluster.Contracts.Models;

/// <summary>Where a graph runs.</summary>
[GenerateSerializer, Alias("execution-provider")]
public enum ExecutionProvider
{
    /// <summary>ONNX Runtime on the CPU.</summary>
    Cpu,

    /// <summary>Intel OpenVINO; a build of ONNX Runtime without it refuses to load the model.</summary>
    OpenVino,

    /// <summary>OpenVINO where it is available, else the CPU.</summary>
    Auto,
}
