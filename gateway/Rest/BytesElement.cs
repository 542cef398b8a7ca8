using System.Buffers.Binary;
using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>BYTES: a string's UTF-8 behind its length, 4 bytes little-endian.</summary>
internal readonly struct BytesElement : IJsonElement
{
    public static string Expected => "a string";

    public static bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return false;
        }

        var most = reader.ValueSpan.Length;
        var room = sink.Next(sizeof(int) + most);
        var text = room[sizeof(int)..];
        var length = most;
        if (reader.ValueIsEscaped)
        {
            length = JsonText.Unescape(ref reader, text);
            sink.Return(most - length);
        }
        else
        {
            reader.ValueSpan.CopyTo(text);
        }

        BinaryPrimitives.WriteInt32LittleEndian(room, length);
        return true;
    }
}
