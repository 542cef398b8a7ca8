using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

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
