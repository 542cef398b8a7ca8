using System.Text.Json.Nodes;

namespace Cluster.Cli.Tensors;

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
