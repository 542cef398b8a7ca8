using System.Globalization;
using System.Text;
using Cluster.Tests.Common;

namespace Cluster.Bench.Attacks;

/// <summary>All attacks, in the order of the report: floods without an identity, then what a client with a key can do.</summary>
internal static class AttackList
{
    private const int ManyConnections = 2000;
    private const int LargeBytes = 8 << 20;
    private const string HeaderLength = "Inference-Header-Content-Length";

    private static readonly string LargeHeader = string.Create(
        CultureInfo.InvariantCulture,
        $$$"""{"inputs":[{"name":"INPUT0","datatype":"FP32","shape":[1,{{{LargeBytes / sizeof(float)}}}],"parameters":{"binary_data_size":{{{LargeBytes}}} }}],"parameters":{"binary_data_output":true}}""");

    /// <summary>A JSON header and 8 MiB of numbers.</summary>
    private static readonly Lazy<byte[]> LargeBody = new(static () => [.. Encoding.ASCII.GetBytes(LargeHeader), .. new byte[LargeBytes]]);

    public static IReadOnlyList<Attack> All { get; } =
    [
        .. Floods.All.Select(static flood => new Attack(
            flood.Key, "HTTP", 8, NeedsKey: false, async (target, stop) => await Floods.RepeatAsync(flood.Value.IsHttp1 ? target.HttpPort : target.GrpcPort, flood.Value, stop))),
        new("many connections", "Limits:ConnectionsPerAddress, descriptors", 1, NeedsKey: false, HoldAsync),
        new("answers that are not read", "least rate of answers", 8, NeedsKey: false, UnreadAsync),
        new("deep JSON", "100 levels", 8, NeedsKey: false, static (target, stop) => PostAsync(target, BehavedRequest.Small.Path, static () => new StringContent(new string('[', 1 << 20)), stop)),
        new("requests above a client's rate", "requests_per_second 20", 8, NeedsKey: true, static (target, stop) => PostAsync(target, BehavedRequest.Small.Path, static () => new StringContent(BehavedRequest.Small.Body), stop)),
        new("bodies above a client's bytes", "in_flight_mib 4", 8, NeedsKey: true, static (target, stop) => PostAsync(target, BehavedRequest.Small.Path, Large, stop)),
        new("a queue full of one client's", "weight", 64, NeedsKey: true, static (target, stop) => PostAsync(target, BehavedRequest.Slow.Path, static () => new StringContent(BehavedRequest.Slow.Body), stop))
        {
            Beside = BehavedRequest.Slow,
        },
    ];

    /// <summary>Of what each client may do: the one that attacks the queue has no quota.</summary>
    public static IReadOnlyDictionary<string, object> Quotas { get; } = new Dictionary<string, object>
    {
        ["requests above a client's rate"] = new { requests_per_second = 20 },
        ["bodies above a client's bytes"] = new { in_flight_mib = 4 },
    };

    private static ByteArrayContent Large()
    {
        var content = new ByteArrayContent(LargeBody.Value);
        content.Headers.Add(HeaderLength, LargeHeader.Length.ToString(CultureInfo.InvariantCulture));
        return content;
    }

    private static async Task<long> PostAsync(AttackTarget target, string path, Func<HttpContent> body, CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        for (var requests = 0L; ; requests++)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, target.Url(path)) { Content = body() };
                if (target.Key.Length > 0)
                {
                    request.Headers.Add("x-api-key", target.Key);
                }

                using var answer = await http.SendAsync(request, stop);
            }
            catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException)
            {
                if (stop.IsCancellationRequested)
                {
                    return requests;
                }
            }
        }
    }

    /// <summary>Asks for 8 MiB and reads nothing of them, until the server closes the connection.</summary>
    private static async Task<long> UnreadAsync(AttackTarget target, CancellationToken stop)
    {
        var head = Encoding.ASCII.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST {BehavedRequest.Small.Path} HTTP/1.1\r\nHost: x\r\n{HeaderLength}: {LargeHeader.Length}\r\nContent-Length: {LargeBody.Value.Length}\r\n\r\n"));
        var flood = new Flood(IsHttp1: true, async (stream, stop) =>
        {
            await stream.WriteAsync(head, stop);
            await stream.WriteAsync(LargeBody.Value, stop);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
            while (await timer.WaitForNextTickAsync(stop))
            {
                // Fails once the server has closed the connection.
                await stream.WriteAsync("x"u8.ToArray(), stop);
            }
        });
        return await Floods.RepeatAsync(target.HttpPort, flood, stop);
    }

    /// <summary>Holds as many connections as the server lets it, and opens others for those that it closes.</summary>
    private static async Task<long> HoldAsync(AttackTarget target, CancellationToken stop)
    {
        var opened = 0L;
        await Task.WhenAll(Enumerable.Range(0, ManyConnections).Select(async number =>
        {
            var flood = new Flood(IsHttp1: true, static async (stream, stop) =>
            {
                var one = new byte[1];
                while (await stream.ReadAsync(one, stop) > 0)
                {
                }
            });
            Interlocked.Add(ref opened, await Floods.RepeatAsync(number % 2 == 0 ? target.HttpPort : target.GrpcPort, flood, stop));
        }));
        return opened;
    }
}
