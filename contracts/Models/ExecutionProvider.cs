namespace Cluster.Contracts.Models;

/// <summary>Where a graph runs.</summary>
[GenerateSerializer, Alias("execution-provider")]
public enum ExecutionProvider
{
    /// <summary>ONNX Runtime on the CPU.</summary>
    Cpu,

    /// <summary>OpenVINO; a silo without it, or a graph that it does not take, refuses to load the model.</summary>
    OpenVino,

    /// <summary>OpenVINO where the silo has it and the graph compiles, else the CPU.</summary>
    Auto,
}
