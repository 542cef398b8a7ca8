using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Cluster.Silo.Options;
using Cluster.Silo.Tracing;
using Cluster.Tests.Common;
using Cluster.Unit.Hosting;
using Microsoft.Extensions.Configuration;
using Orleans.Diagnostics;
using Xunit;

namespace Cluster.Unit.Tracing;

public sealed class TracePropagationTests
{
    private const string Model = "traced";
    private const string Request = """{"inputs": [{"name": "X", "datatype": "FP32", "shape": [1], "data": [0]}]}""";

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task Call_OfATracedCaller_IsOfThatTraceWhereAskedFor(string propagate)
    {
        await using var silo = await TestSilo.StartAsync(services => services.AddTracing(Configured(propagate), ServeRole.All));
        var grain = silo.Get<ITraceGrain>("any");
        using var request = new Activity("request").Start();

        var seen = await grain.TraceAsync().AsTask().Soon();

        Assert.Equal(propagate == "true" ? request.TraceId.ToHexString() : null, seen);
    }

    [Fact]
    public async Task Call_OfAnUntracedCaller_IsOfNoTrace()
    {
        await using var silo = await TestSilo.StartAsync(services => services.AddTracing(Configured("true"), ServeRole.All));

        Assert.Null(await silo.Get<ITraceGrain>("any").TraceAsync().AsTask().Soon());
    }

    [Theory]
    [InlineData("true")]
    [InlineData("false")]
    public async Task TraceParent_OfARequestToAGateway_ReachesTheReplicaWhereAskedFor(string propagate)
    {
        var trace = ActivityTraceId.CreateRandom();
        var seen = new ConcurrentQueue<(ActivityTraceId Trace, string Name, bool FromAfar)>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ActivitySources.ApplicationGrainActivitySourceName,
            ActivityStarted = activity => seen.Enqueue((activity.TraceId, activity.OperationName, activity is { Kind: ActivityKind.Server, HasRemoteParent: true })),
        };
        ActivitySource.AddActivityListener(listener);
        await using var redis = await RedisServer.StartNewAsync();
        using var models = ModelFolder.Create();
        var version = Directory.CreateDirectory(Path.Combine(models.Path, Model, "1")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(version, "model.onnx"), OnnxModels.Small(1), TestContext.Current.CancellationToken);
        (string, string)[] both = [("Cluster:Redis", redis.Endpoint), ("Tracing:Propagate", propagate)];
        var silo = await ServeHosts.StartAsync([("Cluster:Role", "Silo"), ("Cluster:Models", models.Path), .. both]);
        var gateway = await ServeHosts.StartAsync([("Cluster:Role", "Gateway"), .. both]);
        try
        {
            using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ActivityHeadersPropagator = null }) { BaseAddress = new Uri(gateway.Urls.First()) };
            Assert.Equal(HttpStatusCode.OK, await InferAsync(http, $"00-{trace}-{ActivitySpanId.CreateRandom()}-01"));
        }
        finally
        {
            await gateway.EndAsync();
            await silo.EndAsync();
        }

        var replica = seen.Where(call => call.Trace == trace && call.FromAfar).Select(static call => call.Name).ToList();
        Assert.Equal(propagate == "true" ? ["IModelReplicaGrain/InferAsync"] : [], replica.Where(static name => name.Contains("Replica", StringComparison.Ordinal)));
    }

    private static async Task<HttpStatusCode> InferAsync(HttpClient http, string traceParent)
    {
        var cancellation = TestContext.Current.CancellationToken;
        await http.UntilOkAsync($"v2/models/{Model}/ready", cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"v2/models/{Model}/infer") { Content = new StringContent(Request) };
        request.Headers.Add("traceparent", traceParent);
        using var answer = await http.SendAsync(request, cancellation);
        return answer.StatusCode;
    }

    private static IConfiguration Configured(string propagate) =>
        new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Tracing:Propagate"] = propagate }).Build();
}
