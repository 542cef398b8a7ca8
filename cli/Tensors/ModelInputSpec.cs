using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Tensors;

/// <summary>What a model's metadata or configuration says of one of its tensors; -1 is a size that the model leaves open.</summary>
internal sealed record ModelInputSpec(string Name, string Datatype, IReadOnlyList<long> Shape)
{
    public static ModelInputSpec Of(JsonNode tensor) => new(
        tensor.Text("name"), tensor.Text("datatype"), [.. tensor.List("shape").Select(static size => long.Parse(size.ToString(), CultureInfo.InvariantCulture))]);

    /// <summary>Of an input in the configuration, which has other names for datatypes.</summary>
    public static ModelInputSpec OfConfig(JsonNode input) => Of(new JsonObject
    {
        ["name"] = input.Text("name"),
        ["datatype"] = input.Text("data_type") is "TYPE_STRING" ? "BYTES" : input.Text("data_type").Replace("TYPE_", "", StringComparison.Ordinal),
        ["shape"] = input["dims"]?.DeepClone(),
    });

    /// <summary>JSON for this tensor: nested data say their shape, flat ones fill what the model leaves open.</summary>
    /// <exception cref="CommandFailure">They do not fit.</exception>
    public InputTensor Take(JsonArray data, string file)
    {
        var nesting = ShapeOf(data);
        var shape = nesting.Count > 1 ? nesting : Fit(data.Count, file);
        return new InputTensor(Name, Datatype, shape, data, default);
    }

    private static List<long> ShapeOf(JsonArray data)
    {
        var shape = new List<long>();
        for (JsonNode? at = data; at is JsonArray array; at = array.Count > 0 ? array[0] : null)
        {
            shape.Add(array.Count);
        }

        return shape;
    }

    /// <summary>The first open size takes what is left, the others are 1.</summary>
    private List<long> Fit(long count, string file)
    {
        var known = Shape.Where(static size => size > 0).Aggregate(1L, static (product, size) => product * size);
        var open = Shape.ToList().IndexOf(-1);
        var isFit = open < 0 ? count == known : known > 0 && count % known == 0;
        return isFit
            ? [.. Shape.Select((size, index) => size > 0 ? size : index == open ? count / known : 1)]
            : throw CommandFailure.Usage($"{file} has {count} values, input '{Name}' takes the shape [{string.Join(", ", Shape)}]; nested data say their own shape");
    }
}

/// <summary>An input of a model as a request has it.</summary>
/// <param name="Data">JSON; null where the bytes are sent as they are.</param>
internal sealed record InputTensor(string Name, string Datatype, IReadOnlyList<long> Shape, JsonNode? Data, ReadOnlyMemory<byte> Bytes)
{
    public JsonObject ToJson()
    {
        var tensor = new JsonObject { ["name"] = Name, ["datatype"] = Datatype, ["shape"] = new JsonArray([.. Shape.Select(static size => JsonValue.Create(size))]) };
        if (Data is null)
        {
            tensor["parameters"] = new JsonObject { ["binary_data_size"] = Bytes.Length };
        }
        else
        {
            tensor["data"] = Data.DeepClone();
        }

        return tensor;
    }
}
