using System.Buffers.Binary;
using System.Text;

namespace Cluster.Bench.Clients;

/// <summary>The parts of HTTP/2 (RFC 9113) and its header compression (RFC 7541) that one fixed request needs.</summary>
internal static class Http2
{
    public const int FrameHeaderSize = 9;

    /// <summary>Both sides' default; the server need not allow more.</summary>
    public const int MaxFramePayload = 16384;

    public const int DefaultWindow = 65535;
    public const int LargestWindow = int.MaxValue;
    public const int DefaultHeaderTableSize = 4096;

    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;

    /// <summary>On SETTINGS and PING.</summary>
    public const byte Ack = 1;
    public const byte EndStream = 1;
    public const byte EndHeaders = 4;
    public const byte Padded = 8;
    public const byte Priority = 32;

    public const int SettingHeaderTableSize = 1;
    public const int SettingMaxConcurrentStreams = 3;
    public const int SettingInitialWindowSize = 4;

    /// <summary>
    /// The request's headers as every later request of a connection sends them: one byte each, pointing at what
    /// <see cref="FirstHeaders"/> put into the server's table, as any client does whose requests look alike.
    /// </summary>
    public static byte[] LaterHeaders { get; } = [0x83, 0x86, 0xC1, 0xC0, 0xBF, 0xBE];

    /// <summary>
    /// What a connection begins with: the preface, and settings by which the server never has to wait for a window, never
    /// pushes, and keeps no header table, so that trailers can be read without one.
    /// </summary>
    public static byte[] Opening()
    {
        byte[] settings = [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7F, 0xFF, 0xFF, 0xFF];
        byte[] increment = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(increment, LargestWindow - DefaultWindow);
        return [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, .. Frame(Settings, 0, 0, settings), .. Frame(WindowUpdate, 0, 0, increment)];
    }

    /// <summary>POST, http, and four headers that the server is told to remember.</summary>
    public static byte[] FirstHeaders(string authority, string path) =>
        [0x83, 0x86, 0x44, .. Text(path), 0x41, .. Text(authority), 0x40, .. Text("te"), .. Text("trailers"), 0x5F, .. Text("application/grpc")];

    public static byte[] Frame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[FrameHeaderSize + payload.Length];
        WriteHeader(frame, payload.Length, type, flags, stream);
        payload.CopyTo(frame.AsSpan(FrameHeaderSize));
        return frame;
    }

    public static void WriteHeader(Span<byte> target, int length, byte type, byte flags, int stream)
    {
        BinaryPrimitives.WriteInt32BigEndian(target, length << 8);
        target[3] = type;
        target[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(target[5..], stream);
    }

    /// <summary>Bytes that a frame of this type must have for its fixed fields.</summary>
    public static int LeastPayload(byte type, byte flags) => type switch
    {
        Data when (flags & Padded) != 0 => 1,
        ResetStream or WindowUpdate => 4,
        GoAway => 8,
        _ => 0,
    };

    /// <summary>The data of a padded DATA frame, whose first byte says how many bytes of padding end it.</summary>
    public static ReadOnlySpan<byte> WithoutPadding(ReadOnlySpan<byte> payload) =>
        payload[0] < payload.Length ? payload[1..^payload[0]] : throw new InvalidDataException("the server sent a frame of more padding than bytes");

    private static byte[] Text(string value) =>
        value.Length < 127
            ? [(byte)value.Length, .. Encoding.ASCII.GetBytes(value)]
            : throw new ArgumentException("a header value of at most 126 characters", nameof(value));
}
