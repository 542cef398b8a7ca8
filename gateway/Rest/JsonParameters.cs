using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

/// <summary>Reads the <c>parameters</c> objects of a request, its inputs and its outputs.</summary>
internal static class JsonParameters
{
    private static ReadOnlySpan<byte> SharedMemoryPrefix => "shared_memory_"u8;

    /// <summary>Adds a request parameter to the message in the kind that its JSON has.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT: null, an array or an object.</exception>
    public static void Pass(ref Utf8JsonReader reader, string key, InferRequestBuilder builder)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                builder.AddParameter(key, InferParameterKind.Bool, reader.GetBoolean() ? 1 : 0);
                break;
            case JsonTokenType.Number when reader.TryGetInt64(out var integer):
                builder.AddParameter(key, InferParameterKind.Int64, integer);
                break;
            case JsonTokenType.Number when reader.TryGetUInt64(out var unsigned):
                builder.AddParameter(key, InferParameterKind.UInt64, (long)unsigned);
                break;
            case JsonTokenType.Number when reader.TryGetDouble(out var number) && double.IsFinite(number):
                builder.AddParameter(key, InferParameterKind.Double, BitConverter.DoubleToInt64Bits(number));
                break;
            case JsonTokenType.String:
                builder.AddParameter(key, System.Text.Encoding.UTF8.GetString(JsonText.Read(ref reader, key)));
                break;
            default:
                throw ServingException.InvalidArgument($"request parameter '{key}' must be a string, a number in a double's range, or a bool");
        }
    }

    public static bool ReadBool(ref Utf8JsonReader reader, string what) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False => false,
        _ => throw ServingException.InvalidArgument($"{what} must be true or false"),
    };

    /// <summary>Takes note of <c>binary_data_size</c>.</summary>
    /// <exception cref="ServingException">INVALID_ARGUMENT; UNIMPLEMENTED where the tensor is said to be in shared memory.</exception>
    public static void ReadOfInput(ref Utf8JsonReader reader, JsonInput input)
    {
        JsonMembers.RequireObject(ref reader, $"{input.Title}: parameters");
        input.HasParameters = true;
        while (JsonMembers.NextMember(ref reader))
        {
            RefuseSharedMemory(ref reader, input.Title);
            if (JsonText.Is(ref reader, "binary_data_size"u8))
            {
                reader.Read();
                input.BinarySize = ReadSize(ref reader, $"{input.Title}: binary_data_size", least: 0);
            }
            else
            {
                reader.Skip();
            }
        }
    }

    public static OutputParameters ReadOfOutput(ref Utf8JsonReader reader)
    {
        JsonMembers.RequireObject(ref reader, "an output's parameters");
        var parameters = default(OutputParameters);
        while (JsonMembers.NextMember(ref reader))
        {
            RefuseSharedMemory(ref reader, "an output");
            if (JsonText.Is(ref reader, "binary_data"u8))
            {
                reader.Read();
                parameters = parameters with { Binary = ReadBool(ref reader, "an output's binary_data") };
            }
            else if (JsonText.Is(ref reader, "classification"u8))
            {
                reader.Read();
                parameters = parameters with { Classification = ReadSize(ref reader, "an output's classification", least: 1) };
            }
            else
            {
                reader.Skip();
            }
        }

        return parameters;
    }

    private static long ReadSize(ref Utf8JsonReader reader, string what, long least) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var size) && size >= least
            ? size
            : throw ServingException.InvalidArgument($"{what} must be an integer of at least {least}");

    private static void RefuseSharedMemory(ref Utf8JsonReader reader, string owner)
    {
        if (reader.ValueSpan.StartsWith(SharedMemoryPrefix))
        {
            throw new ServingException(new Failure(
                StatusCode.Unimplemented, $"{owner} refers to shared memory, which this server does not offer; send tensors in the request"));
        }
    }
}
