using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Tracing;

/// <summary>One trace of one request through a gateway and a silo, each a process, as a collector gets it.</summary>
public sealed class TraceExportTests(ITestOutputHelper output)
{
    private const string Model = "traced";
    private const string Request = """{"inputs": [{"name": "X", "datatype": "FP32", "shape": [1], "data": [0]}]}""";
    private const string Rpc = "inference.GRPCInferenceService/ModelInfer";
    private const string Server = "POST /v2/models/{model}/infer";

    /// <summary>Spans are sent at once, not after five seconds.</summary>
    private const string AtOnce = "OTEL_BSP_SCHEDULE_DELAY=50";

    [Fact]
    public async Task Request_ThroughTwoProcesses_IsOneTrace()
    {
        await using var collector = await OtlpCollector.StartAsync();
        using var models = ModelFolder.Create();
        using var registered = ModelFolder.Create();
        await using var redis = await RedisServer.StartNewAsync();
        await using var silo = New("silo", redis, [$"Tracing__Endpoint={collector.Url}", "Tracing__Protocol=HttpProtobuf", AtOnce], "--models", models.Path, "--registered-models", registered.Path);
        await using var gateway = New("gateway", redis, [$"OTEL_EXPORTER_OTLP_ENDPOINT={collector.Url}", "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf", AtOnce], "--grpc-port", "0");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null });
        try
        {
            await Task.WhenAll(silo.StartAsync(), gateway.StartAsync());
            using var client = new MeshClient(gateway.GrpcTarget);
            registered.Put(Model, OnnxModels.Small(1));
            await client.RegisterAsync(Model);

            var first = await InferAsync(http, gateway);
            var second = await InferAsync(http, gateway);
            var refused = await InferAsync(http, gateway, isRecorded: false);
            var last = await InferAsync(http, gateway);

            var spans = await collector.UntilAsync(second.Trace, Server, "infer", "call", "replica", "queue", "run");
            output.WriteLine(string.Join('\n', spans));
            Assert.Equal(6, spans.Count);
            var server = Span(spans, Server, "cluster-gateway", second.Span);
            var call = Span(spans, "call", "cluster-gateway", Span(spans, "infer", "cluster-gateway", server.Id).Id);
            var replica = Span(spans, "replica", "cluster-silo", call.Id);
            var (queue, run) = (Span(spans, "queue", "cluster-silo", replica.Id), Span(spans, "run", "cluster-silo", replica.Id));
            AssertTags(server, ("http.request.method", "POST"), ("http.response.status_code", "200"));
            foreach (var span in new[] { call, replica })
            {
                AssertTags(span, ("cluster.model", Model), ("cluster.version", "1"), ("cluster.replica", "0"), ("cluster.outcome", "Ok"));
                Assert.StartsWith(silo.Silo.Split('@')[0], span.Tags["cluster.silo"].TrimStart('S'), StringComparison.Ordinal);
                Assert.True(int.Parse(span.Tags["cluster.request.bytes"], CultureInfo.InvariantCulture) > 0 && int.Parse(span.Tags["cluster.response.bytes"], CultureInfo.InvariantCulture) > 0);
            }

            AssertTags(run, ("cluster.rows", "1"), ("cluster.outcome", "Ok"));
            Assert.True(queue.Start <= queue.End && queue.End <= run.Start && run.Start < run.End && run.End <= replica.End, "the times of the spans are in order");
            Assert.Equal([2, 3], new[] { server.Kind, call.Kind });

            var loaded = await collector.UntilAsync(first.Trace, "wait for load", "load", "run");
            var load = Span(loaded, "load", "cluster-silo", Span(loaded, "wait for load", "cluster-gateway", Span(loaded, "infer", "cluster-gateway").Id).Id);
            AssertTags(load, ("cluster.model", Model), ("cluster.outcome", "Ok"));
            Assert.True(long.Parse(load.Tags["cluster.loaded.bytes"], CultureInfo.InvariantCulture) > 0);

            // Over gRPC, without a trace of the client's.
            Assert.True((await client.InferAsync(Model, Wait.Limit)).IsOk);
            var begun = (await collector.UntilAsync(static span => span.Name == Rpc, Rpc)).Single();
            AssertTags(begun, ("rpc.system", "grpc"), ("rpc.method", "ModelInfer"), ("rpc.grpc.status_code", "0"));
            Assert.Equal("", begun.Parent);
            await collector.UntilAsync(begun.Trace, "infer", "call", "replica", "run");

            await collector.UntilAsync(last.Trace, Server, "run");
            Assert.DoesNotContain(collector.Spans, span => span.Trace == refused.Trace);
        }
        finally
        {
            foreach (var process in new[] { silo, gateway })
            {
                output.WriteLine($"--- {process.Name}\n{process.Tail(20)}");
            }
        }
    }

    private static ClusterProcess New(string role, RedisServer redis, IReadOnlyList<string> settings, params string[] arguments) =>
        new(role, [role, .. arguments, "--redis", redis.Endpoint, "--http-port", "0", "--silo-port", "0"], settings: settings);

    private static async Task<(string Trace, string Span)> InferAsync(HttpClient http, ClusterProcess gateway, bool isRecorded = true)
    {
        var (trace, span) = (ActivityTraceId.CreateRandom().ToHexString(), ActivitySpanId.CreateRandom().ToHexString());
        using var request = new HttpRequestMessage(HttpMethod.Post, $"{gateway.HttpUrl}/v2/models/{Model}/infer") { Content = new StringContent(Request) };
        request.Headers.Add("traceparent", $"00-{trace}-{span}-{(isRecorded ? "01" : "00")}");
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (trace, span);
    }

    private static OtlpSpan Span(IReadOnlyList<OtlpSpan> spans, string name, string service, string? parent = null)
    {
        var span = spans.Single(span => span.Name == name);
        Assert.Equal((service, parent ?? span.Parent), (span.Service, span.Parent));
        return span;
    }

    private static void AssertTags(OtlpSpan span, params (string Name, string Value)[] tags) =>
        Assert.All(tags, tag => Assert.Equal(tag.Value, span.Tags.GetValueOrDefault(tag.Name)));
}
