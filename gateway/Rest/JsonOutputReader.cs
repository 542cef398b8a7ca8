using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Wire;

namespace Cluster.Gateway.Rest;

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
