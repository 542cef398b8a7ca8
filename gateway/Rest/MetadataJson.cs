using System.Text.Json;
using Cluster.Contracts.Protocol;

namespace Cluster.Gateway.Rest;

/// <summary>The metadata of the server and of models.</summary>
internal static class MetadataJson
{
    public static void Write(Utf8JsonWriter json, ServerMetadataResponse server)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, server.Name);
        json.WriteString("version"u8, server.Version);
        WriteTexts(json, "extensions"u8, server.Extensions);
        json.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter json, ModelMetadataResponse model)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, model.Name);
        WriteTexts(json, "versions"u8, model.Versions);
        json.WriteString("platform"u8, model.Platform);
        WriteTensors(json, "inputs"u8, model.Inputs);
        WriteTensors(json, "outputs"u8, model.Outputs);
        if (model.Properties.Count > 0)
        {
            json.WriteStartObject("properties"u8);
            foreach (var (key, value) in model.Properties)
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteTensors(Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<ModelMetadataResponse.Types.TensorMetadata> tensors)
    {
        json.WriteStartArray(name);
        foreach (var tensor in tensors)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, tensor.Name);
            json.WriteString("datatype"u8, tensor.Datatype);
            json.WriteStartArray("shape"u8);
            foreach (var dimension in tensor.Shape)
            {
                json.WriteNumberValue(dimension);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
