using System.Diagnostics;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Tracing;

/// <summary>What the span of a request says, and of which requests there is one.</summary>
public sealed class RequestSpansTests
{
    private const string Route = "/v2/models/{model}";

    [Theory]
    [InlineData("GET", "GET /v2/models/{model}", "GET")]
    [InlineData("PURGE-17", "HTTP /v2/models/{model}", "_OTHER")]
    [InlineData("get", "HTTP /v2/models/{model}", "_OTHER")]
    public async Task Verb_OfAClientsOwn_IsInNoNameAndNoAttribute(string verb, string name, string attribute)
    {
        var span = Assert.Single(await SpansAsync(http => http.Request.Method = verb, RouteAccess.Read));

        Assert.Equal((name, attribute), (span.DisplayName, span.GetTagItem("http.request.method")));
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(513, false)]
    public async Task TraceState_ThatIsLong_IsDroppedAndTheTraceIsKept(int length, bool isKept)
    {
        var state = "a=" + new string('x', length - 2);
        var span = Assert.Single(await SpansAsync(http => http.Request.Headers.TraceState = state, RouteAccess.Read));

        Assert.True(span.HasRemoteParent);
        Assert.Equal(isKept ? state : null, span.TraceStateString);
    }

    [Theory]
    [InlineData("0", ActivityStatusCode.Unset)]
    [InlineData("2", ActivityStatusCode.Error)]
    [InlineData("3", ActivityStatusCode.Unset)]
    [InlineData("4", ActivityStatusCode.Error)]
    [InlineData("8", ActivityStatusCode.Unset)]
    [InlineData("12", ActivityStatusCode.Error)]
    [InlineData("13", ActivityStatusCode.Error)]
    [InlineData("14", ActivityStatusCode.Error)]
    [InlineData("15", ActivityStatusCode.Error)]
    [InlineData("16", ActivityStatusCode.Unset)]
    public async Task Grpc_WhereTheServerFailed_IsAnError(string status, ActivityStatusCode expected)
    {
        var trailers = new ResponseTrailers();
        trailers.Trailers["grpc-status"] = status;
        var span = Assert.Single(await SpansAsync(
            http =>
            {
                http.Request.ContentType = "application/grpc";
                http.Features.Set<IHttpResponseTrailersFeature>(trailers);
            },
            RouteAccess.Infer));

        Assert.Equal((expected, status), (span.Status, span.GetTagItem("rpc.grpc.status_code")));
    }

    [Fact]
    public async Task EventsAndHealth_HaveNoSpan()
    {
        Assert.Empty(await SpansAsync(static _ => { }, RouteAccess.ObserveStream));
        Assert.Empty(await SpansAsync(static _ => { }, RouteAccess.Health));
        Assert.Single(await SpansAsync(static _ => { }, RouteAccess.Observe));
    }

    /// <summary>One request, of a trace of its own, through the middleware.</summary>
    private static async Task<List<Activity>> SpansAsync(Action<HttpContext> change, RouteAccess access)
    {
        var trace = ActivityTraceId.CreateRandom();
        var spans = new List<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ServingTrace.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> options) => options.TraceId == trace ? ActivitySamplingResult.AllDataAndRecorded : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace)
                {
                    spans.Add(span);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var services = new ServiceCollection().BuildServiceProvider();
        var app = new ApplicationBuilder(services);
        app.UseRequestSpans();
        app.Run(static _ => Task.CompletedTask);
        var http = new DefaultHttpContext();
        http.SetEndpoint(new RouteEndpoint(static _ => Task.CompletedTask, RoutePatternFactory.Parse(Route), 0, new EndpointMetadataCollection(access), "test"));
        http.Request.Method = "GET";
        http.Request.Headers.TraceParent = $"00-{trace}-{ActivitySpanId.CreateRandom()}-01";
        change(http);
        await app.Build()(http);
        return spans;
    }

    private sealed class ResponseTrailers : IHttpResponseTrailersFeature
    {
        public IHeaderDictionary Trailers { get; set; } = new HeaderDictionary();
    }
}
