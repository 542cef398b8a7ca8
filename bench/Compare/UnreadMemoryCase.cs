using System.Net;
using System.Net.Http.Headers;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Tests.Common;

namespace Cluster.Bench.Compare;

/// <summary>The most memory that a new server held while clients left large answers unread, each on a connection of its own. Afterwards they are read and checked.</summary>
internal sealed class UnreadMemoryCase(string name, int answers, int mebibytes) : CompareCase(name)
{
    /// <summary>The model that makes large answers of small requests.</summary>
    public const string Model = "expand";

    /// <summary>How long nothing is read once every answer has begun: the server has then buffered what it is going to.</summary>
    private static readonly TimeSpan Unread = TimeSpan.FromSeconds(2);

    private readonly Workload _workload = new(
        Model, "X", [1], [0.1f], "Y", [.. Enumerable.Repeat(0.1f, mebibytes * ((1 << 20) / sizeof(float)))]);

    /// <summary>Repeats its only input as often as it takes to fill so many MiB.</summary>
    public static byte[] ModelFile(int mebibytes)
    {
        long count = mebibytes * ((1 << 20) / sizeof(float));
        var graph = new OnnxGraph();
        graph.NodeTo("Y", "Expand", ["X", graph.Node("Cast", [graph.Constant([count], 1)], OnnxGraph.ToInt64)]);
        return graph.ToBytes(count);
    }

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var server = await build.StartAsync(cancellationToken);
        var id = server.Id;
        var meter = new CpuMeter([id]);
        using var call = new GrpcInferCall(server.Grpc, _workload);
        var clients = Enumerable.Range(0, answers).Select(static _ => new HttpClient(new SocketsHttpHandler { UseProxy = false })).ToList();
        try
        {
            var begun = await Task.WhenAll(clients.Select(client => BeginAsync(client, call, cancellationToken)));
            await Task.Delay(Unread, cancellationToken);
            var peak = ProcessMemory.PeakMib(id);
            foreach (var answer in begun)
            {
                await CheckAsync(answer, cancellationToken);
            }

            return new Sample(meter.Read().OthersPercent, new Figure("peak MiB", peak));
        }
        finally
        {
            clients.ForEach(static client => client.Dispose());
        }
    }

    private static async Task<HttpResponseMessage> BeginAsync(HttpClient client, GrpcInferCall call, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, call.Url)
        {
            Content = new ByteArrayContent(call.Body) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } },
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TE.ParseAdd("trailers");
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    private async Task CheckAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        using (answer)
        {
            var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            var status = answer.TrailingHeaders.TryGetValues("grpc-status", out var values) ? string.Join(',', values) : "none";
            if (status != "0" || body.Length < GrpcInferCall.PrefixSize)
            {
                throw new InvalidDataException($"an answer that was read late ended with gRPC status {status} after {body.Length} bytes");
            }

            _workload.CheckMessage(body[GrpcInferCall.PrefixSize..]);
        }
    }
}
