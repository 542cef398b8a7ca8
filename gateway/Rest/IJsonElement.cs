using System.Buffers.Binary;
using System.Text.Json;

namespace Cluster.Gateway.Rest;

/// <summary>How one datatype's elements are read from JSON; implemented by structs, so that each gets its own loop.</summary>
internal interface IJsonElement
{
    /// <summary>What an element must be, for errors: "an integer from -128 to 127".</summary>
    static abstract string Expected { get; }

    /// <summary>Bytes of an element of which <see cref="NumberRun"/> reads many; 0 where it does not.</summary>
    static virtual int Size => 0;

    /// <summary>Writes a number to <paramref name="target"/>; false if it is no such element, or must be read by other means.</summary>
    static virtual bool TryConvert(in DecimalNumber number, Span<byte> target) => false;

    /// <summary>Reads the current token; false if it is no such element.</summary>
    static abstract bool TryRead(ref Utf8JsonReader reader, ref TensorSink sink);
}

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
