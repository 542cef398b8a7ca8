namespace Cluster.Grains.Trust;

/// <summary>What a .onnx file holds, as far as it is to be known before it is loaded.</summary>
internal sealed class ModelFacts
{
    private readonly Dictionary<string, long> _external = new(StringComparer.Ordinal);

    /// <summary>Of all graphs and functions.</summary>
    public long Nodes { get; set; }

    /// <summary>Of all graphs, and of the attributes of nodes.</summary>
    public long Tensors { get; set; }

    /// <summary>The location of each external file, as the file spells it, and how many bytes of it are wanted at least.</summary>
    public IReadOnlyDictionary<string, long> External => _external;

    public void Want(string location, long end) => _external[location] = Math.Max(end, _external.GetValueOrDefault(location));
}
