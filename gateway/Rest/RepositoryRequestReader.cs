using System.Text;
using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Protocol;
using Google.Protobuf;

namespace Cluster.Gateway.Rest;

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
            throw JsonErrors.Malformed(body, (int)reader.BytesConsumed, e, TensorDataReader.MaxDepth);
        }
    }
}
