using System.Text;
using Cluster.Contracts.Wire;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cluster.Grains.Sessions;

/// <summary>
/// Which input or output of a graph has elements that ONNX Runtime's managed API has no name for. That API refuses the whole graph, and names no tensor. Fields of
/// onnx.proto: <c>ModelProto.graph = 7, GraphProto.input = 11, output = 12, ValueInfoProto.name = 1, type = 2, TypeProto.tensor_type = 1, TypeProto.Tensor.elem_type =
/// 1</c>.
/// </summary>
internal static class DeclaredTypes
{
    /// <summary>The number of the first such type.</summary>
    private const ulong First = 17;

    /// <summary>By number in onnx.proto, from <see cref="First"/> on.</summary>
    private static readonly string[] Names =
        ["FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "UINT4", "INT4", "FLOAT4E2M1", "FLOAT8E8M0", "UINT2", "INT2"];

    private static ReadOnlySpan<int> ToElementType => [2, 1, 1];

    /// <summary>What is wrong with the first of them; null where the graph declares none.</summary>
    /// <exception cref="Contracts.Errors.ServingException">The file is not a protobuf message.</exception>
    public static string? FindUnserved(ReadOnlySpan<byte> bytes)
    {
        var model = new ProtoReader(bytes, "ModelProto");
        while (model.Next())
        {
            if (model.Field != 7)
            {
                model.Skip();
            }
            else if (FindInGraph(bytes, model.ReadSlice()) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static string? FindInGraph(ReadOnlySpan<byte> bytes, Slice range)
    {
        var graph = new ProtoReader(bytes, range, "GraphProto");
        while (graph.Next())
        {
            if (graph.Field is not (11 or 12))
            {
                graph.Skip();
                continue;
            }

            var role = graph.Field == 11 ? "input" : "output";
            var value = graph.ReadSlice();
            if (Number(bytes, value, ToElementType) is >= First and var type)
            {
                var name = type - First < (ulong)Names.Length ? Names[type - First] : $"number {type} of onnx.proto";
                return $"{role} '{NameOf(bytes, value)}' has elements of type {name}, which KServe v2 has no datatype for";
            }
        }

        return null;
    }

    private static string NameOf(ReadOnlySpan<byte> bytes, Slice range)
    {
        var value = new ProtoReader(bytes, range, "ValueInfoProto");
        while (value.Next())
        {
            if (value.Field == 1)
            {
                return Encoding.UTF8.GetString(value.ReadSlice().Of(bytes));
            }

            value.Skip();
        }

        return "";
    }

    /// <summary>The number at the end of a path of fields; 0 where there is none.</summary>
    private static ulong Number(ReadOnlySpan<byte> bytes, Slice range, ReadOnlySpan<int> path)
    {
        var reader = new ProtoReader(bytes, range, "ValueInfoProto");
        while (reader.Next())
        {
            if (reader.Field == path[0])
            {
                return path.Length == 1 ? reader.ReadVarintField() : Number(bytes, reader.ReadSlice(), path[1..]);
            }

            reader.Skip();
        }

        return 0;
    }
}

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
