using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Models;
using Cluster.Contracts.Protocol;
using Cluster.Gateway.Rest.Json;
using Google.Protobuf;

namespace Cluster.Gateway.Rest.Control;

/// <summary>Reads the bodies of the repository extension; all of them may be empty.</summary>
internal static class RepositoryRequestReader
{
    /// <summary><c>{"ready":bool}</c>; false if it is not there.</summary>
    public static bool ReadReady(ReadOnlySpan<byte> body)
    {
        var ready = false;
        ReadObject(body, (ref Utf8JsonReader reader) =>
        {
            if (!JsonText.Is(ref reader, "ready"u8))
            {
                return false;
            }

            ready = JsonMembers.HasValue(ref reader) && JsonParameters.ReadBool(ref reader, "ready");
            return true;
        });
        return ready;
    }

    /// <summary>
    /// <c>{"parameters":{name: string, integer or bool}}</c>; the value of a parameter whose name begins with <c>file:</c> is base64.
    /// </summary>
    public static void ReadParameters(ReadOnlySpan<byte> body, IDictionary<string, ModelRepositoryParameter> target) =>
        ReadObject(body, (ref Utf8JsonReader reader) =>
        {
            if (!JsonText.Is(ref reader, "parameters"u8))
            {
                return false;
            }

            if (!JsonMembers.HasValue(ref reader))
            {
                return true;
            }

            JsonMembers.RequireObject(ref reader, "parameters");
            while (JsonMembers.NextMember(ref reader))
            {
                var name = Encoding.UTF8.GetString(JsonText.Read(ref reader, "a parameter's name"));
                if (JsonMembers.HasValue(ref reader))
                {
                    target[name] = ReadParameter(ref reader, name);
                }
            }

            return true;
        });

    private static ModelRepositoryParameter ReadParameter(ref Utf8JsonReader reader, string name)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True or JsonTokenType.False:
                return new ModelRepositoryParameter { BoolParam = reader.GetBoolean() };
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                return new ModelRepositoryParameter { Int64Param = number };
            case JsonTokenType.String when name.StartsWith("file:", StringComparison.Ordinal):
                return new ModelRepositoryParameter { BytesParam = UnsafeByteOperations.UnsafeWrap(ReadBase64(ref reader, name)) };
            case JsonTokenType.String:
                return new ModelRepositoryParameter { StringParam = Encoding.UTF8.GetString(JsonText.Read(ref reader, name)) };
            default:
                throw ServingException.InvalidArgument($"parameter '{name}' must be a string, an integer or a bool");
        }
    }

    private static byte[] ReadBase64(ref Utf8JsonReader reader, string name)
    {
        try
        {
            return reader.TryGetBytesFromBase64(out var content)
                ? content
                : throw ServingException.InvalidArgument($"parameter '{name}' must be the file's bytes in base64");
        }
        catch (InvalidOperationException exception)
        {
            throw new ServingException(Failure.InvalidArgument($"parameter '{name}' must be the file's bytes in base64: it has half of a surrogate pair"), exception);
        }
    }

    private delegate bool MemberReader(ref Utf8JsonReader reader);

    private static void ReadObject(ReadOnlySpan<byte> body, MemberReader readMember)
    {
        if (body.Trim(" \t\r\n"u8).IsEmpty)
        {
            return;
        }

        if (!System.Text.Unicode.Utf8.IsValid(body))
        {
            throw ServingException.InvalidArgument("the request's JSON is not UTF-8");
        }

        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = TensorDataReader.MaxDepth });
        try
        {
            reader.Read();
            JsonMembers.RequireObject(ref reader, "the request");
            while (JsonMembers.NextMember(ref reader))
            {
                if (!readMember(ref reader))
                {
                    reader.Skip();
                }
            }

            reader.Read();
        }
        catch (JsonException e)
        {
            throw MalformedJson.Of(body, (int)reader.BytesConsumed, e, TensorDataReader.MaxDepth);
        }
    }
}

/// <summary>Reads <c>{"min_copies":2,"max_copies":4}</c>; a missing or null bound is as the model's settings say. The model checks the numbers.</summary>
internal static class ReplicaBoundsReader
{
    private const int MaxDepth = 2;

    /// <returns>Null where no bound is given.</returns>
    /// <exception cref="ServingException">INVALID_ARGUMENT: no JSON, or a member that is unknown or no whole number.</exception>
    public static ReplicaBounds? Read(ReadOnlyMemory<byte> body)
    {
        if (body.Span.Trim(" \t\r\n"u8).IsEmpty)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            var bounds = document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().Aggregate(new ReplicaBounds(null, null), static (read, member) => Read(read, member.Name, member.Value))
                : throw ServingException.InvalidArgument("the bounds are no object, expected min_copies and max_copies");
            return bounds is { Least: null, Most: null } ? null : bounds;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second: a name that is no text.
            throw new ServingException(Failure.InvalidArgument("the request is not valid JSON, expected min_copies and max_copies"), exception);
        }
    }

    private static ReplicaBounds Read(ReplicaBounds bounds, string name, JsonElement value) => name switch
    {
        "min_copies" => bounds with { Least = Whole(name, value) },
        "max_copies" => bounds with { Most = Whole(name, value) },
        _ => throw ServingException.InvalidArgument("the bounds have an unknown member, expected min_copies and max_copies"),
    };

    private static int? Whole(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt32(out var number) => number,
        JsonValueKind.Null => null,
        _ => throw ServingException.InvalidArgument($"{name} is of another type, expected a whole number or null"),
    };
}
