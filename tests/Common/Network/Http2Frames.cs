using System.Buffers.Binary;
using System.Text;

namespace Cluster.Tests.Common;

/// <summary>Frames of HTTP/2 (RFC 9113): nothing checks that they may follow each other.</summary>
public static class Http2Frames
{
    public static readonly byte[] Preface = Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

    private const byte EndStream = 1;
    private const byte EndHeaders = 4;

    public static byte[] Settings(params (ushort Id, uint Value)[] settings)
    {
        var payload = new byte[6 * settings.Length];
        foreach (var (index, (id, value)) in settings.Index())
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(6 * index), id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((6 * index) + 2), value);
        }

        return Frame(4, 0, 0, payload);
    }

    /// <summary>The answer to settings.</summary>
    public static byte[] SettingsTaken() => Frame(4, 1, 0, []);

    public static byte[] Ping() => Frame(6, 0, 0, new byte[8]);

    public static byte[] Data(int stream, byte[] payload, bool endStream = false) => Frame(0, endStream ? EndStream : (byte)0, stream, payload);

    public static byte[] Reset(int stream) => Frame(3, 0, stream, [0, 0, 0, 8]);

    public static byte[] WindowUpdate(int stream, uint increment)
    {
        var payload = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(payload, increment);
        return Frame(8, 0, stream, payload);
    }

    public static byte[] Priority(int stream) => Frame(2, 0, stream, [0, 0, 0, 0, 16]);

    /// <summary>The headers of a gRPC call.</summary>
    public static byte[] Call(int stream, string path, bool endHeaders = true, bool endStream = false) =>
        Frame(1, (byte)((endHeaders ? EndHeaders : 0) | (endStream ? EndStream : 0)), stream, [
            .. Field(":method", "POST"), .. Field(":scheme", "http"), .. Field(":path", path), .. Field(":authority", "x"),
            .. Field("content-type", "application/grpc"), .. Field("te", "trailers")]);

    public static byte[] Continuation(int stream, byte[] fields) => Frame(9, 0, stream, fields);

    /// <summary>A header that HPACK neither compresses nor keeps.</summary>
    public static byte[] Field(string name, string value) => [0, (byte)name.Length, .. Encoding.ASCII.GetBytes(name), (byte)value.Length, .. Encoding.ASCII.GetBytes(value)];

    private static byte[] Frame(byte type, byte flags, int stream, byte[] payload)
    {
        var frame = new byte[9 + payload.Length];
        frame[0] = (byte)(payload.Length >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(1), (ushort)payload.Length);
        (frame[3], frame[4]) = (type, flags);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(5), stream);
        payload.CopyTo(frame, 9);
        return frame;
    }
}
