namespace Cluster.Contracts.Models;

/// <summary>How OpenVINO runs a graph; without meaning for a graph that runs on ONNX Runtime's own CPU provider.</summary>
[GenerateSerializer, Immutable, Alias("provider-settings")]
public sealed record ProviderSettings
{
    /// <summary>The device that every silo with OpenVINO has.</summary>
    public const string Cpu = "CPU";

    public static ProviderSettings Default { get; } = new();

    /// <summary>OpenVINO's name of the device: <c>CPU</c>, the default, <c>GPU</c>, <c>GPU.1</c>, <c>NPU</c>, <c>AUTO:GPU,CPU</c>.</summary>
    [Id(0)]
    public string Device { get; init; } = Cpu;

    /// <summary>Runs that the device carries out side by side, 1 to 1024; 0, the default, is as many as requests run at once.</summary>
    [Id(1)]
    public int Streams { get; init; }

    /// <summary>Threads of all streams together, 1 to 1024; 0, the default, is streams × <see cref="ModelSettings.IntraOpThreads"/>, and no more than there are processors.</summary>
    [Id(2)]
    public int Threads { get; init; }

    [Id(3)]
    public ExecutionPrecision Precision { get; init; } = ExecutionPrecision.F32;

    /// <summary>Whether the compiled graph is kept on the silo's disk for the next load. Default false.</summary>
    [Id(4)]
    public bool Cache { get; init; }

    /// <summary>A JSON object of objects by device, with OpenVINO's own properties; empty, the default, for none.</summary>
    [Id(5)]
    public string Config { get; init; } = "";

    /// <summary>Whether parts of the graph that OpenVINO does not take may run on ONNX Runtime's CPU provider. Default false: the load fails.</summary>
    [Id(6)]
    public bool AllowCpuNodes { get; init; }

    /// <summary>The device without its number and its list: what a silo offers.</summary>
    public string DeviceKind => Device[..(Device.IndexOfAny(['.', ':']) is >= 0 and var end ? end : Device.Length)];
}

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
