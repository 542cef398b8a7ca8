using System.Text.Json;
using Cluster.Contracts.Protocol;

namespace Cluster.Gateway.Rest;

/// <summary>
/// A model's configuration with the names of the proto and enums by name. 64-bit integers are numbers, as the clients read them; protobuf's
/// own JSON form would make them strings. Messages that are not set are left out: clients take their presence for a feature.
/// </summary>
internal static class ModelConfigJson
{
    public static void Write(Utf8JsonWriter json, ModelConfig config)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, config.Name);
        json.WriteString("platform"u8, config.Platform);
        json.WriteString("backend"u8, config.Backend);
        WriteVersionPolicy(json, config.VersionPolicy);
        json.WriteNumber("max_batch_size"u8, config.MaxBatchSize);
        WriteInputs(json, config);
        WriteOutputs(json, config);
        WriteInstanceGroups(json, config);
        json.WriteString("default_model_filename"u8, config.DefaultModelFilename);
        WriteBatching(json, config.DynamicBatching);
        WriteParameters(json, config);
        if (config.ModelTransactionPolicy is { } transaction)
        {
            json.WriteStartObject("model_transaction_policy"u8);
            json.WriteBoolean("decoupled"u8, transaction.Decoupled);
            json.WriteEndObject();
        }

        if (config.ResponseCache is { } cache)
        {
            json.WriteStartObject("response_cache"u8);
            json.WriteBoolean("enable"u8, cache.Enable);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteVersionPolicy(Utf8JsonWriter json, ModelVersionPolicy? policy)
    {
        if (policy is null || policy.PolicyChoiceCase == ModelVersionPolicy.PolicyChoiceOneofCase.None)
        {
            return;
        }

        json.WriteStartObject("version_policy"u8);
        switch (policy.PolicyChoiceCase)
        {
            case ModelVersionPolicy.PolicyChoiceOneofCase.Latest:
                json.WriteStartObject("latest"u8);
                json.WriteNumber("num_versions"u8, policy.Latest.NumVersions);
                break;
            case ModelVersionPolicy.PolicyChoiceOneofCase.Specific:
                json.WriteStartObject("specific"u8);
                WriteNumbers(json, "versions"u8, policy.Specific.Versions);
                break;
            default:
                json.WriteStartObject("all"u8);
                break;
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WriteInputs(Utf8JsonWriter json, ModelConfig config)
    {
        json.WriteStartArray("input"u8);
        foreach (var input in config.Input)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, input.Name);
            json.WriteString("data_type"u8, NameOf(input.DataType));
            json.WriteString("format"u8, NameOf(input.Format));
            WriteNumbers(json, "dims"u8, input.Dims);
            json.WriteBoolean("is_shape_tensor"u8, input.IsShapeTensor);
            json.WriteBoolean("optional"u8, input.Optional);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteOutputs(Utf8JsonWriter json, ModelConfig config)
    {
        json.WriteStartArray("output"u8);
        foreach (var output in config.Output)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, output.Name);
            json.WriteString("data_type"u8, NameOf(output.DataType));
            WriteNumbers(json, "dims"u8, output.Dims);
            json.WriteString("label_filename"u8, output.LabelFilename);
            json.WriteBoolean("is_shape_tensor"u8, output.IsShapeTensor);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteInstanceGroups(Utf8JsonWriter json, ModelConfig config)
    {
        json.WriteStartArray("instance_group"u8);
        foreach (var group in config.InstanceGroup)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, group.Name);
            json.WriteString("kind"u8, NameOf(group.Kind));
            json.WriteNumber("count"u8, group.Count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteBatching(Utf8JsonWriter json, ModelDynamicBatching? batching)
    {
        if (batching is null)
        {
            return;
        }

        json.WriteStartObject("dynamic_batching"u8);
        WriteNumbers(json, "preferred_batch_size"u8, batching.PreferredBatchSize.Select(size => (long)size));
        json.WriteNumber("max_queue_delay_microseconds"u8, batching.MaxQueueDelayMicroseconds);
        json.WriteEndObject();
    }

    private static void WriteParameters(Utf8JsonWriter json, ModelConfig config)
    {
        json.WriteStartObject("parameters"u8);
        foreach (var (name, parameter) in config.Parameters)
        {
            json.WriteStartObject(name);
            json.WriteString("string_value"u8, parameter.StringValue);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, ReadOnlySpan<byte> name, IEnumerable<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (var number in numbers)
        {
            json.WriteNumberValue(number);
        }

        json.WriteEndArray();
    }

    /// <summary>The value's name as the proto spells it; its number if it has none.</summary>
    private static string NameOf<T>(T value)
        where T : struct, Enum =>
        Enum.GetName(value) is { } member && typeof(T).GetField(member) is { } field
            && Attribute.GetCustomAttribute(field, typeof(Google.Protobuf.Reflection.OriginalNameAttribute))
                is Google.Protobuf.Reflection.OriginalNameAttribute original
            ? original.Name
            : value.ToString();
}
