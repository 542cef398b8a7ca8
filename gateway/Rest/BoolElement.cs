using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>BOOL: one byte, 0 or 1.</summary>
internal readonly struct BoolElement : IJsonElement
{
    public static string Expected => "true or false";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        if (reader.TokenType is not (JsonTokenType.True or JsonTokenType.False))
        {
            return false;
        }

        sink.Next(1)[0] = reader.TokenType == JsonTokenType.True ? (byte)1 : (byte)0;
        return true;
    }
}
