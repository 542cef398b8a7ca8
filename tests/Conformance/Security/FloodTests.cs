using System.Net.Sockets;
using System.Text;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Conformance.Security;

/// <summary>
/// Published ways to keep a server busy with little, each from eight connections that are opened again where the server closes them, while a client that behaves sends requests: none of
/// its requests fails, and memory and descriptors return to their level. docs/security.md names the attacks by number.
/// </summary>
public sealed class FloodTests(AttackedServer attacked, ITestOutputHelper output) : IClassFixture<AttackedServer>
{
    private const int Attackers = 8;
    private const string Infer = "/inference.GRPCInferenceService/ModelInfer";

    /// <summary>Pools and heaps keep so much after any load.</summary>
    private const long MemoryMargin = 128L << 20;
    private const int HandleMargin = 60;

    private static readonly TimeSpan Brief = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(30);

    /// <summary>On two cores that attackers use too.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static TheoryData<string> Attacks => [.. ByName.Keys];

    /// <summary>What needs no half a minute: by resets, and by headers.</summary>
    public static TheoryData<string> Few => ["rapid reset", "continuations without an end"];

    private static Dictionary<string, Func<NetworkStream, CancellationToken, Task>> ByName { get; } = new()
    {
        ["rapid reset"] = static (stream, stop) => Http2Async(stream, static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.Reset(number)], stop),
        ["made you reset, by a window of 0"] = static (stream, stop) => Http2Async(stream, static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.WindowUpdate(number, 0)], stop),
        ["made you reset, by an overflowing window"] = static (stream, stop) => Http2Async(stream, static number => [.. Http2Frames.Call(number, Infer), .. Http2Frames.WindowUpdate(number, int.MaxValue)], stop),
        ["made you reset, by data after the end"] = static (stream, stop) => Http2Async(stream, static number => [.. Http2Frames.Call(number, Infer, endStream: true), .. Http2Frames.Data(number, [1])], stop),
        ["continuations without an end"] = static (stream, stop) => Http2Async(
            stream, static number => number == 1 ? Http2Frames.Call(1, Infer, endHeaders: false) : Http2Frames.Continuation(1, Http2Frames.Field("x" + number, new string('a', 100))), stop),
        ["pings that are not read"] = static (stream, stop) => Http2Async(stream, static _ => Http2Frames.Ping(), reads: false, stop: stop),
        ["settings that are not read"] = static (stream, stop) => Http2Async(stream, static number => Http2Frames.Settings((4, (uint)number)), reads: false, stop: stop),
        ["empty data"] = static (stream, stop) => Http2Async(stream, static number => number == 1 ? Http2Frames.Call(1, Infer) : Http2Frames.Data(1, []), stop),
        ["priorities"] = static (stream, stop) => Http2Async(stream, static number => Http2Frames.Priority(number), stop),
        ["windows of one byte"] = static (stream, stop) => Http2Async(stream, static number => [.. Http2Frames.Settings((4, 1)), .. Http2Frames.Call(number, "/grpc.health.v1.Health/Check", endStream: true)], stop),
        ["chunks of one byte"] = static (stream, stop) => Http1Async(stream, "Transfer-Encoding: chunked", "1\r\n{\r\n", stop),
        ["chunk extensions"] = static (stream, stop) => Http1Async(stream, "Transfer-Encoding: chunked", $"1;{new string('a', 200)}\r\n{{\r\n", stop),
        ["headers without an end"] = static (stream, stop) => WriteOnAsync(stream, "GET / HTTP/1.1\r\nHost: x\r\n", number => $"x{number}: {new string('a', 100)}\r\n", stop),
        ["one byte a moment"] = static (stream, stop) => SlowAsync(stream, stop),
    };

    /// <summary>Beside other tests, on two cores: slow answers are no failure here, and memory needs time.</summary>
    [Theory]
    [MemberData(nameof(Few))]
    public Task Server_UnderAttack_ServesOthersAndReturnsToItsLevel(string attack) => RunAsync(attack, Brief, 4 * MemoryMargin);

    [Theory]
    [Trait("Category", "Soak")]
    [MemberData(nameof(Attacks))]
    public Task Server_UnderAttackForLong_ServesOthersAndReturnsToItsLevel(string attack) => RunAsync(attack, Long, MemoryMargin);

    private static Task Http1Async(NetworkStream stream, string header, string part, CancellationToken stop) =>
        WriteOnAsync(stream, $"POST /v2/models/add_one/infer HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n", _ => part, stop);

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

    private static Task Http2Async(NetworkStream stream, Func<int, byte[]> frames, CancellationToken stop) => Http2Async(stream, frames, reads: true, stop);

    private static async Task Http2Async(NetworkStream stream, Func<int, byte[]> frames, bool reads, CancellationToken stop)
    {
        await stream.WriteAsync((byte[])[.. Http2Frames.Preface, .. Http2Frames.Settings()], stop);
        var reading = reads ? stream.CopyToAsync(Stream.Null, stop) : Task.CompletedTask;
        for (var number = 1; !reading.IsFaulted; number += 2)
        {
            await stream.WriteAsync(frames(number), stop);
        }

        await reading;
    }

    private async Task RunAsync(string attack, TimeSpan time, long margin)
    {
        var server = attacked.Server;
        using var http = new HttpClient { Timeout = Patience };
        await BehaveAsync(http, server, Brief / 4);
        var before = ProcessVitals.Of(server.Id);
        var written = server.Output.Split('\n').Length;
        var isHttp1 = attack is "chunks of one byte" or "chunk extensions" or "headers without an end" or "one byte a moment";
        var port = isHttp1 ? server.HttpPort : server.GrpcPort;
        using var stop = new CancellationTokenSource();
        var attackers = Enumerable.Range(0, Attackers).Select(_ => Task.Run(() => AttackAsync(port, ByName[attack], stop.Token))).ToList();

        var (requests, slowest) = await BehaveAsync(http, server, time);
        await stop.CancelAsync();
        var connections = (await Task.WhenAll(attackers)).Sum();

        output.WriteLine($"{attack}: {connections} connections of {Attackers} attackers in {time.TotalSeconds} s; {requests} requests, slowest {slowest.TotalMilliseconds:0} ms; {before} before, {ProcessVitals.Of(server.Id)} after");
        Assert.False(server.HasExited);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (ProcessVitals.Of(server.Id) is var after && (after.ResidentBytes > before.ResidentBytes + margin || after.Handles > before.Handles + HandleMargin))
        {
            Assert.False(limit.IsCancellationRequested, $"{attack}: {before} before, {after} after");
            await BehaveAsync(http, server, Brief / 4);
        }

        // What clients cause does not fill the log.
        var lines = server.Output.Split('\n').Length - written;
        Assert.True(lines < 60, $"{attack}: {lines} lines in the log, the last of them {server.Output[Math.Max(0, server.Output.Length - 2000)..]}");
    }

    /// <summary>Requests one after the other; none may fail.</summary>
    private static async Task<(int Requests, TimeSpan Slowest)> BehaveAsync(HttpClient http, ServerProcess server, TimeSpan time)
    {
        var start = TimeProvider.System.GetTimestamp();
        var (requests, slowest) = (0, TimeSpan.Zero);
        while (TimeProvider.System.GetElapsedTime(start) < time)
        {
            var sent = TimeProvider.System.GetTimestamp();
            using var content = new StringContent("""{"inputs":[{"name":"b","datatype":"FP32","shape":[1,10],"data":[1,2,3,4,5,6,7,8,9,10]}]}""");
            using var answer = await http.PostAsync(new Uri($"{server.HttpUrl}/v2/models/add_one/infer"), content);
            Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            requests++;
            slowest = TimeSpan.FromTicks(Math.Max(slowest.Ticks, TimeProvider.System.GetElapsedTime(sent).Ticks));
        }

        return (requests, slowest);
    }

    /// <returns>Connections that it took.</returns>
    private static async Task<int> AttackAsync(int port, Func<NetworkStream, CancellationToken, Task> attack, CancellationToken stop)
    {
        for (var connections = 1; ; connections++)
        {
            using var client = new TcpClient();
            try
            {
                await client.ConnectAsync("127.0.0.1", port, stop);
                await attack(client.GetStream(), stop);
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
}

/// <summary>A server that attacks are tried on, one after the other.</summary>
public sealed class AttackedServer : IAsyncLifetime
{
    private readonly ModelFolder _models = ModelFolder.Create().Add(Path.Combine(TestPaths.TestModels, "add_one"));

    public ServerProcess Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Server = await ServerProcess.StartAsync("--models", _models.Path);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _models.Dispose();
    }
}
