using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Cluster.Tests.Common;

/// <summary>Published ways to keep a server busy with little, each on one connection without TLS; they end with the connection or their token. docs/security.md names them by number.</summary>
public static class Floods
{
    private const string Infer = "/inference.GRPCInferenceService/ModelInfer";

    /// <summary>By name.</summary>
    public static IReadOnlyDictionary<string, Flood> All { get; } = new Dictionary<string, Flood>
    {
        ["rapid reset"] = Http2(static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.Reset(number)]),
        ["made you reset, by a window of 0"] = Http2(static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.WindowUpdate(number, 0)]),
        ["made you reset, by an overflowing window"] = Http2(static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.WindowUpdate(number, int.MaxValue)]),
        ["made you reset, by data after the end"] = Http2(static number => [.. Http2Frames.Call(number, Infer, endStream: true), .. Http2Frames.Data(number, [1])]),
        ["continuations without an end"] = Http2(
            static number => number == 1 ? Http2Frames.Call(1, Infer, endHeaders: false) : Http2Frames.Continuation(1, Http2Frames.Field("x" + number, new string('a', 100)))),
        ["pings that are not read"] = Http2(static _ => Http2Frames.Ping(), reads: false),
        ["settings that are not read"] = Http2(static number => Http2Frames.Settings((4, (uint)number)), reads: false),
        ["empty data"] = Http2(static number => number == 1 ? Http2Frames.Call(1, Infer) : Http2Frames.Data(1, [])),
        ["priorities"] = Http2(static number => Http2Frames.Priority(number)),
        ["windows of one byte"] = Http2(static number => [.. Http2Frames.Settings((4, 1)), .. Http2Frames.Call(number, "/grpc.health.v1.Health/Check", endStream: true)]),
        ["chunks of one byte"] = Http1("Transfer-Encoding: chunked", "1\r\n{\r\n"),
        ["chunk extensions"] = Http1("Transfer-Encoding: chunked", $"1;{new string('a', 200)}\r\n{{\r\n"),
        ["headers without an end"] = new Flood(
            IsHttp1: true, static (stream, stop) => WriteOnAsync(stream, "GET / HTTP/1.1\r\nHost: x\r\n", static number => $"x{number}: {new string('a', 100)}\r\n", stop)),
        ["one byte a moment"] = new Flood(IsHttp1: true, SlowAsync),
    };

    /// <summary>An address of the machine that clients which behave do not have.</summary>
    public static IPAddress Origin { get; } = new([127, 0, 0, 2]);

    /// <summary>Opens connections from <see cref="Origin"/> to a port of 127.0.0.1 and floods each until the server closes it.</summary>
    /// <returns>Connections that it took, once <paramref name="stop"/> ends it.</returns>
    public static async Task<int> RepeatAsync(int port, Flood flood, CancellationToken stop)
    {
        for (var connections = 1; ; connections++)
        {
            using var client = new TcpClient(new IPEndPoint(Origin, 0));
            try
            {
                await client.ConnectAsync("127.0.0.1", port, stop);
                await flood.RunAsync(client.GetStream(), stop);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException)
            {
                if (stop.IsCancellationRequested)
                {
                    return connections;
                }
            }
        }
    }

    private static Flood Http1(string header, string part) => new(
        IsHttp1: true, (stream, stop) => WriteOnAsync(stream, $"POST /v2/models/add_one/infer HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n", _ => part, stop));

    private static Flood Http2(Func<int, byte[]> frames, bool reads = true) => new(IsHttp1: false, async (stream, stop) =>
    {
        await stream.WriteAsync((byte[])[.. Http2Frames.Preface, .. Http2Frames.Settings()], stop);
        var reading = reads ? stream.CopyToAsync(Stream.Null, stop) : Task.CompletedTask;
        for (var number = 1; !reading.IsFaulted; number += 2)
        {
            await stream.WriteAsync(frames(number), stop);
        }

        await reading;
    });

    private static async Task WriteOnAsync(NetworkStream stream, string first, Func<int, string> next, CancellationToken stop)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes(first), stop);
        for (var number = 0; ; number++)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes(next(number)), stop);
        }
    }

    private static async Task SlowAsync(NetworkStream stream, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        foreach (var letter in Encoding.ASCII.GetBytes("POST /v2/models/add_one/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + new string(' ', 100_000)))
        {
            await stream.WriteAsync(new[] { letter }, stop);
            await timer.WaitForNextTickAsync(stop);
        }
    }
}

/// <summary>What is sent on one connection.</summary>
/// <param name="IsHttp1">For the port of REST; else for that of gRPC.</param>
public sealed record Flood(bool IsHttp1, Func<NetworkStream, CancellationToken, Task> RunAsync);
