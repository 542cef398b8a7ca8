using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest.Json;

/// <summary>Reads the <c>parameters</c> objects of a request, its inputs and its outputs.</summary>
internal static class JsonParameters
{
    /// <summary>
    /// Adds a request parameter to the message in the kind that its JSON has. What no message can carry, an object or an array, is left out, as in the parameters of
    /// tensors. Clients say there what is meant for others.
    /// </summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: a parameter that is read here is none of these.</exception>
    public static void Pass(ref Utf8JsonReader reader, byte[] key, InferRequestBuilder builder)
    {
        var name = Encoding.UTF8.GetString(key);
        if (reader.TokenType == JsonTokenType.String)
        {
            builder.AddParameter(name, Encoding.UTF8.GetString(JsonText.Read(ref reader, name)));
            return;
        }

        var value = JsonScalar.Read(ref reader);
        if (value.Kind != InferParameterKind.None)
        {
            builder.AddParameter(name, value.Kind, value.Bits);
        }
        else if (ParameterRules.IsRead(key))
        {
            throw ServingException.InvalidArgument($"request parameter '{name}' must be an integer");
        }
    }

    public static bool ReadBool(ref Utf8JsonReader reader, string what) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw ServingException.InvalidArgument($"{what} must be true or false"),
    };

    /// <summary>Takes note of <c>binary_data_size</c>, and of tensors that are said to be in shared memory.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT.</exception>
    public static void ReadOfInput(ref Utf8JsonReader reader, JsonInput input)
    {
        JsonMembers.RequireObject(ref reader, $"{input.Title}: parameters");
        input.HasParameters = true;
        while (JsonMembers.NextMember(ref reader))
        {
            input.IsInSharedMemory |= IsSharedMemory(ref reader);
            var isSize = JsonText.Is(ref reader, "binary_data_size"u8);
            if (!JsonMembers.HasValue(ref reader) || !isSize)
            {
                reader.Skip();
                continue;
            }

            input.BinarySize = ReadSize(ref reader, $"{input.Title}: binary_data_size");
        }
    }

    public static OutputParameters ReadOfOutput(ref Utf8JsonReader reader)
    {
        JsonMembers.RequireObject(ref reader, "an output's parameters");
        var parameters = default(OutputParameters);
        while (JsonMembers.NextMember(ref reader))
        {
            if (IsSharedMemory(ref reader))
            {
                parameters = parameters with { IsInSharedMemory = true };
            }

            var isBinary = JsonText.Is(ref reader, "binary_data"u8);
            var isClassification = JsonText.Is(ref reader, "classification"u8);
            if (!JsonMembers.HasValue(ref reader))
            {
                continue;
            }

            if (isBinary)
            {
                parameters = parameters with { Binary = ReadBool(ref reader, "an output's binary_data") };
            }
            else if (isClassification)
            {
                parameters = parameters with { Classification = ReadClassification(ref reader) };
            }
            else
            {
                reader.Skip();
            }
        }

        return parameters;
    }

    /// <summary>What is neither null nor a scalar is of a kind that no classification has.</summary>
    private static JsonScalar ReadClassification(ref Utf8JsonReader reader)
    {
        var value = JsonScalar.Read(ref reader);
        return value.Kind == InferParameterKind.None ? new JsonScalar(InferParameterKind.Text, 0) : value;
    }

    private static long ReadSize(ref Utf8JsonReader reader, string what) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var size) && size >= 0
            ? size
            : throw ServingException.InvalidArgument($"{what} must be an integer of at least 0");

    private static bool IsSharedMemory(ref Utf8JsonReader reader) =>
        ParameterRules.IsSharedMemory(JsonText.ReadName(ref reader));
}

/// <summary><c>parameters</c> of a requested output.</summary>
/// <param name="Binary"><c>binary_data</c>; null if it is not there.</param>
/// <param name="Classification">Not checked yet.</param>
/// <param name="IsInSharedMemory">Whether the answer is to go elsewhere.</param>
internal readonly record struct OutputParameters(bool? Binary, JsonScalar Classification, bool IsInSharedMemory);

/// <summary>A parameter's value in the kind that its JSON has; for text its kind alone.</summary>
/// <param name="Kind"><see cref="InferParameterKind.None"/> for null, an object, an array, and a number out of a double's range.</param>
/// <param name="Bits">Of a bool, 0 or 1; an integer; a double's bits.</param>
internal readonly record struct JsonScalar(InferParameterKind Kind, long Bits)
{
    public static JsonScalar Read(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                return new(InferParameterKind.Bool, reader.GetBoolean() ? 1 : 0);
            case JsonTokenType.Number when reader.TryGetInt64(out var integer):
                return new(InferParameterKind.Int64, integer);
            case JsonTokenType.Number when reader.TryGetUInt64(out var unsigned):
                return new(InferParameterKind.UInt64, (long)unsigned);
            case JsonTokenType.Number when reader.TryGetDouble(out var number) && double.IsFinite(number):
                return new(InferParameterKind.Double, BitConverter.DoubleToInt64Bits(number));
            case JsonTokenType.String:
                return new(InferParameterKind.Text, 0);
            default:
                reader.Skip();
                return default;
        }
    }
}

/// <summary>Reads a request's <c>outputs</c>.</summary>
internal static class JsonOutputReader
{
    /// <summary>Notes each output's form in <paramref name="request"/> and asks for it in the message.</summary>
    public static void Read(ref Utf8JsonReader reader, JsonInferRequest request, InferRequestBuilder builder)
    {
        JsonMembers.RequireArray(ref reader, "the request's outputs");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            JsonMembers.Limit(request.Outputs.Count, "outputs");
            request.Outputs.Add(ReadOutput(ref reader, builder));
        }
    }

    private static JsonOutput ReadOutput(ref Utf8JsonReader reader, InferRequestBuilder builder)
    {
        JsonMembers.RequireObject(ref reader, "an output");
        byte[]? name = null;
        OutputParameters? parameters = null;
        while (JsonMembers.NextMember(ref reader))
        {
            if (JsonText.Is(ref reader, "name"u8))
            {
                JsonMembers.Once(name is not null, "an output", "name");
                name = JsonMembers.HasValue(ref reader) ? JsonText.Read(ref reader, "an output's name") : null;
            }
            else if (JsonText.Is(ref reader, "parameters"u8))
            {
                JsonMembers.Once(parameters is not null, "an output", "parameters");
                parameters = JsonMembers.HasValue(ref reader) ? JsonParameters.ReadOfOutput(ref reader) : null;
            }
            else
            {
                reader.Skip();
            }
        }

        if (name is null)
        {
            throw ServingException.InvalidArgument("an output has no name");
        }

        var (_, classification, isInSharedMemory) = parameters ?? default;
        if (isInSharedMemory)
        {
            throw ParameterRules.SharedMemory("output", name);
        }

        builder.AddRequestedOutput(name, ParameterRules.ReadClassification(classification.Kind, classification.Bits, name));
        return new JsonOutput(name, parameters?.Binary);
    }
}
