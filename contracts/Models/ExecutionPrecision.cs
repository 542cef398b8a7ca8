namespace Cluster.Contracts.Models;

/// <summary>In which floating-point form OpenVINO computes.</summary>
[GenerateSerializer, Alias("execution-precision")]
public enum ExecutionPrecision
{
    /// <summary>32 bits, so that answers equal those of the CPU provider.</summary>
    F32,

    /// <summary>bfloat16, which processors with AMX or AVX-512 BF16 compute faster.</summary>
    Bf16,

    /// <summary>16 bits.</summary>
    F16,
}
