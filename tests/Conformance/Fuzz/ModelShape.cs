namespace Cluster.Conformance.Fuzz;

/// <summary>A model that the fuzzer knows how to ask.</summary>
/// <param name="Inputs">What a valid request must carry.</param>
/// <param name="Outputs">Their names.</param>
/// <param name="GivesInputBack">Whether the only output is the only input.</param>
internal sealed record ModelShape(string Name, IReadOnlyList<InputShape> Inputs, IReadOnlyList<string> Outputs, bool GivesInputBack)
{
    /// <summary>Every model of the storm; all of them answer every valid request.</summary>
    public static IReadOnlyList<ModelShape> All { get; } =
    [
        .. from type in new[]
           {
               "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "fp16", "bf16", "fp32", "fp64", "string",
           }
           select Identity("identity_" + type, type == "string" ? "BYTES" : type.ToUpperInvariant(), -1, -1),
        Identity("scalar_fp32", "FP32"),
        Identity("vector_fp32", "FP32", -1),
        Identity("fixed_fp32", "FP32", 1, 16),
        Identity("classify", "FP32", -1, 10),
        new("add_sub_int32", [new("INPUT0", "INT32", [-1, 16]), new("INPUT1", "INT32", [-1, 16])], ["OUTPUT0", "OUTPUT1"], false),
        new("batchy", [new("INPUT0", "FP32", [-1, 4])], ["OUTPUT0"], false),
        new("nan_inf", [new("INPUT0", "FP32", [-1])], ["OUTPUT0"], false),
        new("nonzero", [new("INPUT0", "FP32", [-1])], ["OUTPUT0"], false),
        new("many_outputs", [new("INPUT0", "FP32", [-1])], ["as_int64", "as_fp64", "as_bool", "as_fp16", "as_string", "as_fp32"], false),
        new("defaults", [new("X", "FP32", [2])], ["Y"], false),
        new("digits", [new("image", "FP32", [-1, 1, 28, 28])], ["probabilities"], false),
    ];

    private static ModelShape Identity(string name, string datatype, params long[] shape) =>
        new(name, [new InputShape("INPUT0", datatype, shape)], ["OUTPUT0"], true);
}

/// <param name="Shape">−1 where each request chooses.</param>
internal sealed record InputShape(string Name, string Datatype, IReadOnlyList<long> Shape);
