using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Sessions.Loading;

/// <summary>
/// Which inputs and outputs of a graph declare a shape at all. ONNX Runtime's managed API reports an undeclared shape as no dimensions,
/// the same as a scalar. So the file itself is asked (onnx.proto: ModelProto.graph = 7, GraphProto.input = 11, output = 12,
/// ValueInfoProto.name = 1, type = 2, TypeProto.tensor_type = 1, TypeProto.Tensor.shape = 2).
/// </summary>
internal static class DeclaredShapes
{
    /// <summary>Names of the graph's inputs and outputs that have no shape.</summary>
    /// <exception cref="Contracts.Errors.ServingException">The file is not a protobuf message.</exception>
    public static HashSet<string> FindUndeclared(ReadOnlySpan<byte> bytes)
    {
        var undeclared = new HashSet<string>(StringComparer.Ordinal);
        Collect(bytes, undeclared);
        return undeclared;
    }

    private static void Collect(ReadOnlySpan<byte> bytes, HashSet<string> undeclared)
    {
        var model = new ProtoReader(bytes, "ModelProto");
        while (model.Next())
        {
            if (model.Field == 7 && model.WireType == WireType.LengthDelimited)
            {
                CollectGraph(bytes, model.ReadSlice(), undeclared);
            }
            else
            {
                model.Skip();
            }
        }
    }

    private static void CollectGraph(ReadOnlySpan<byte> bytes, Slice range, HashSet<string> undeclared)
    {
        var graph = new ProtoReader(bytes, range, "GraphProto");
        while (graph.Next())
        {
            if (graph.Field is 11 or 12)
            {
                CollectValue(bytes, graph.ReadSlice(), undeclared);
            }
            else
            {
                graph.Skip();
            }
        }
    }

    private static void CollectValue(ReadOnlySpan<byte> bytes, Slice range, HashSet<string> undeclared)
    {
        var name = "";
        var hasShape = false;
        var value = new ProtoReader(bytes, range, "ValueInfoProto");
        while (value.Next())
        {
            switch (value.Field)
            {
                case 1:
                    name = Encoding.UTF8.GetString(value.ReadSlice().Of(bytes));
                    break;
                case 2:
                    hasShape = Has(bytes, value.ReadSlice(), "TypeProto", 1, static (all, tensor) => Has(all, tensor, "TypeProto.Tensor", 2, null));
                    break;
                default:
                    value.Skip();
                    break;
            }
        }

        if (!hasShape)
        {
            undeclared.Add(name);
        }
    }

    private delegate bool Inspect(ReadOnlySpan<byte> bytes, Slice range);

    private static bool Has(ReadOnlySpan<byte> bytes, Slice range, string message, int field, Inspect? inside)
    {
        var reader = new ProtoReader(bytes, range, message);
        while (reader.Next())
        {
            if (reader.Field != field)
            {
                reader.Skip();
                continue;
            }

            var found = reader.ReadSlice();
            return inside is null || inside(bytes, found);
        }

        return false;
    }
}
