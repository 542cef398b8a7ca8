using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>The JSON of an inference answer around its tensors.</summary>
internal static class InferResponseJson
{
    /// <summary>All of the JSON, with the <c>data</c> of those outputs that are not binary.</summary>
    public static void WriteWhole(Utf8JsonWriter json, InferAnswer answer, PooledWriter staging)
    {
        WriteHead(json, answer);
        for (var output = 0; output < answer.Parsed.Outputs.Count; output++)
        {
            BeginOutput(json, answer, output);
            if (!answer.IsBinary(output))
            {
                var tensor = answer.Elements(output);
                while (tensor.WriteBlock(json, staging))
                {
                }
            }

            EndOutput(json);
        }

        WriteTail(json);
        json.Flush();
    }

    public static void WriteHead(Utf8JsonWriter json, InferAnswer answer)
    {
        var bytes = answer.Message.Span;
        var parsed = answer.Parsed;
        json.WriteStartObject();
        json.WriteString("model_name"u8, parsed.ModelName.Of(bytes));
        json.WriteString("model_version"u8, parsed.ModelVersion.Of(bytes));
        if (parsed.Id.Length > 0)
        {
            json.WriteString("id"u8, parsed.Id.Of(bytes));
        }

        json.WriteStartArray("outputs"u8);
    }

    /// <summary>
    /// Opens an output and describes it. Only a binary one gets <c>parameters</c>: a client takes any output with parameters for binary.
    /// </summary>
    public static void BeginOutput(Utf8JsonWriter json, InferAnswer answer, int index)
    {
        var bytes = answer.Message.Span;
        var output = answer.Parsed.Outputs[index];
        json.WriteStartObject();
        json.WriteString("name"u8, output.Name.Of(bytes));
        json.WriteString("datatype"u8, output.Datatype.Of(bytes));
        json.WriteStartArray("shape"u8);
        foreach (var dimension in answer.Parsed.Shape(output))
        {
            json.WriteNumberValue(dimension);
        }

        json.WriteEndArray();
        if (answer.IsBinary(index))
        {
            json.WriteStartObject("parameters"u8);
            json.WriteNumber("binary_data_size"u8, answer.Tensor(index).Length);
            json.WriteEndObject();
        }
    }

    public static void EndOutput(Utf8JsonWriter json) => json.WriteEndObject();

    public static void WriteTail(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
