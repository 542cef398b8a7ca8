using System.Text;
using Cluster.Contracts.Models;
using Cluster.Contracts.Wire;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cluster.Grains.Sessions;

/// <summary>An input or output of a loaded graph, with what checking and binding it needs at hand.</summary>
internal sealed class TensorSlot
{
    public TensorSlot(string name, TensorElementType elementType, Dimension[]? dimensions, bool optional = false, bool computed = true)
    {
        Name = name;
        Utf8Name = Encoding.UTF8.GetBytes(name);
        ElementType = elementType;
        Datatype = elementType.ToDatatype();
        Dimensions = dimensions;
        Optional = optional;
        Computed = computed;
    }

    public string Name { get; }

    public byte[] Utf8Name { get; }

    public TensorElementType ElementType { get; }

    public Datatype Datatype { get; }

    /// <summary>Outermost first, empty for a scalar; null where the graph declares no shape at all.</summary>
    public Dimension[]? Dimensions { get; }

    /// <summary>An input that the graph has a default for.</summary>
    public bool Optional { get; }

    /// <summary>
    /// False for an output that is one of the graph's inputs or is named twice: ONNX Runtime hands out the value that it has and writes
    /// nothing into memory given to it.
    /// </summary>
    public bool Computed { get; }

    /// <summary>Whether the size of the first dimension is the caller's choice: then it counts rows.</summary>
    public bool HasRows => Dimensions is [{ IsFixed: false }, ..];

    /// <summary>As clients see it: −1 where each request chooses, and one −1 in all for an undeclared shape.</summary>
    public TensorSpec ToSpec() =>
        new(Name, Datatype, Dimensions is null ? [-1] : [.. Dimensions.Select(dimension => dimension.IsFixed ? dimension.Range.Min : -1)], Optional);

    /// <summary>The shape for messages: <c>[-1,16]</c>, or <c>[1:8,16]</c> with a configured range.</summary>
    public string DescribeShape() => Dimensions is null ? "any" : $"[{string.Join(',', Dimensions.Select(dimension => dimension.Range))}]";
}
