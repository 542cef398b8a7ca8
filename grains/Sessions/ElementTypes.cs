using Cluster.Contracts.Wire;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cluster.Grains.Sessions;

/// <summary>ONNX Runtime's element types and the protocol's datatypes, one to one.</summary>
internal static class ElementTypes
{
    /// <summary>The protocol's datatype; <see cref="Datatype.Unknown"/> for types that it has none for, such as complex numbers.</summary>
    public static Datatype ToDatatype(this TensorElementType elementType) => elementType switch
    {
        TensorElementType.Bool => Datatype.Bool,
        TensorElementType.UInt8 => Datatype.UInt8,
        TensorElementType.UInt16 => Datatype.UInt16,
        TensorElementType.UInt32 => Datatype.UInt32,
        TensorElementType.UInt64 => Datatype.UInt64,
        TensorElementType.Int8 => Datatype.Int8,
        TensorElementType.Int16 => Datatype.Int16,
        TensorElementType.Int32 => Datatype.Int32,
        TensorElementType.Int64 => Datatype.Int64,
        TensorElementType.Float16 => Datatype.Fp16,
        TensorElementType.BFloat16 => Datatype.Bf16,
        TensorElementType.Float => Datatype.Fp32,
        TensorElementType.Double => Datatype.Fp64,
        TensorElementType.String => Datatype.Bytes,
        _ => Datatype.Unknown,
    };
}
