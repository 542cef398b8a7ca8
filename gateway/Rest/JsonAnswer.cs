using System.Collections.Frozen;
using System.Reflection;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Rest.Control;
using Google.Protobuf.Collections;
using Google.Protobuf.Reflection;
using Microsoft.AspNetCore.Http;

namespace Cluster.Gateway.Rest;

/// <summary>
/// Every JSON body but that of inference. Messages of the protocol are written as they stand in the protos: names, order, enums by name. 64-bit integers are numbers,
/// as the clients read them. Protobuf's own JSON form would make them strings. What is not set is left out.
/// </summary>
internal static class JsonAnswer
{
    /// <summary>Exactly this: a client reads an error's text only if no charset follows.</summary>
    public const string ContentType = "application/json";

    /// <summary>Bytes of the longest string that .NET's writer takes: escaped, each may become six, and those may be a billion.</summary>
    public const int MaxString = 1_000_000_000 / 6;

    /// <summary>Text stays readable; only what JSON itself demands is escaped.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private static readonly JsonSerializerOptions Options = new()
    {
        Encoder = WriterOptions.Encoder,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        TypeInfoResolver = AnswerTypes.Default.WithAddedModifier(FitClients),
        Converters = { new ProtoEnum<DataType>(), new ProtoEnum<ModelInput.Types.Format>(), new ProtoEnum<ModelInstanceGroup.Types.Kind>() },
    };

    public static Task WriteAsync<T>(HttpContext context, T value) => WriteAsync(context, StatusCodes.Status200OK, value);

    public static async Task WriteAsync<T>(HttpContext context, int status, T value)
    {
        var body = ToBytes(value);
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }

    public static byte[] ToBytes<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T)));

    /// <summary>
    /// Clients read statistics without asking whether they are there, and take the presence of a version policy or of properties for a feature.
    /// </summary>
    private static void FitClients(JsonTypeInfo type)
    {
        foreach (var property in type.Properties)
        {
            if (property.PropertyType == typeof(StatisticDuration))
            {
                SetDefault(property, new StatisticDuration());
            }
            else if (property.PropertyType == typeof(InferStatistics))
            {
                SetDefault(property, new InferStatistics());
            }
            else if (property.PropertyType == typeof(ModelVersionPolicy))
            {
                property.ShouldSerialize = static (_, policy) => policy is ModelVersionPolicy { PolicyChoiceCase: not ModelVersionPolicy.PolicyChoiceOneofCase.None };
            }
            else if (property.PropertyType == typeof(MapField<string, string>))
            {
                property.ShouldSerialize = static (_, map) => map is MapField<string, string> { Count: > 0 };
            }
            else if (property.PropertyType == typeof(ModelVersionPolicy.PolicyChoiceOneofCase))
            {
                property.ShouldSerialize = static (_, _) => false;
            }
        }
    }

    private static void SetDefault(JsonPropertyInfo property, object value)
    {
        var get = property.Get!;
        property.Get = message => get(message) ?? value;
    }

    /// <summary>The value's name as the proto spells it; its number, as text, if it has none.</summary>
    private sealed class ProtoEnum<T> : JsonConverter<T>
        where T : struct, Enum
    {
        private static readonly FrozenDictionary<T, string> Names = Enum.GetValues<T>().ToFrozenDictionary(
            value => value, value => typeof(T).GetField(value.ToString())!.GetCustomAttribute<OriginalNameAttribute>()!.Name);

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException();

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Names.GetValueOrDefault(value) ?? value.ToString());
    }
}

internal sealed record ErrorAnswer(string Error);

internal sealed record LiveAnswer(bool Live);

/// <param name="Name">The model's; null for the server.</param>
/// <param name="Reason">Why a model is not; else null.</param>
internal sealed record ReadyAnswer(string? Name, bool Ready, string? Reason = null);

[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(LiveAnswer))]
[JsonSerializable(typeof(ReadyAnswer))]
[JsonSerializable(typeof(DoneAnswer))]
[JsonSerializable(typeof(ScaleAnswer))]
[JsonSerializable(typeof(NamesAnswer))]
[JsonSerializable(typeof(IEnumerable<IndexRow>))]
[JsonSerializable(typeof(Dictionary<string, ConfigStatus>))]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(ClusterNode))]
[JsonSerializable(typeof(PlacementAnswer))]
[JsonSerializable(typeof(EventsAnswer))]
[JsonSerializable(typeof(EventRow))]
[JsonSerializable(typeof(AliasesAnswer))]
[JsonSerializable(typeof(AliasRow))]
[JsonSerializable(typeof(ServerMetadataResponse))]
[JsonSerializable(typeof(ModelMetadataResponse))]
[JsonSerializable(typeof(ModelConfig))]
[JsonSerializable(typeof(ModelStatisticsResponse))]
internal sealed partial class AnswerTypes : JsonSerializerContext;
