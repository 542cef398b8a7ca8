using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Tracing;
using Cluster.Gateway.Security;
using Cluster.Gateway.Serving;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Tracing;

/// <summary>What spans there are within a gateway, and that there are none where nothing listens. The exporter's side is TraceExportTests, in processes of their own.</summary>
public sealed class ServingTraceTests : IDisposable
{
    private const int Calls = 1000;

    private readonly Routing _routing = new(new FakeHealth());

    public void Dispose() => _routing.Dispose();

    [Fact]
    public void WithoutAListener_NothingIsMadeAndNothingAllocated()
    {
        using var outer = new Activity("of another source") { ActivityTraceFlags = ActivityTraceFlags.Recorded }.Start();
        Assert.False(ServingTrace.IsOn);
        Look();
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < Calls; i++)
        {
            Look();
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Null(RequestContext.Get("cluster-traceparent"));
        Assert.Same(outer, Activity.Current);

        static void Look()
        {
            if (ServingTrace.Begin("a", ActivityKind.Server, default) is not null || ServingTrace.BeginWithin("b") is not null || ServingTrace.Current is not null)
            {
                throw new InvalidOperationException("a span was made");
            }

            ServingTrace.Send();
            ServingTrace.Received();
        }
    }

    [Fact]
    public async Task Retry_IsASpanWithItsReasonAroundTheFurtherCall()
    {
        var ended = new ConcurrentQueue<Activity>();
        using var listener = Listen(ended);
        _routing.States.Publish(States.Model("m", States.Ready(1)));
        _routing.Grains.Replica("m/1/0").Infer = (_, _) =>
        {
            _routing.States.Publish(States.Model("m", States.Ready(1, 1)));
            return new(InferReply.Failed(FakeReplica.Moved));
        };
        _routing.Grains.Replica("m/1/1").Infer = (_, _) => new(InferReply.Success(PayloadBuffer.CopyOf([9])));
        using var server = ServingTrace.Begin("server", ActivityKind.Server, Somewhere())!;

        using var message = PayloadBuffer.CopyOf([1, 2, 3]);
        var (reply, _, _) = await _routing.Dispatcher.InferAsync(
            new InferCall("m", "", message, Protocol.Rest, null) { Caller = Caller.Anyone }, TestContext.Current.CancellationToken);

        Assert.True(reply.Succeeded);
        var spans = ended.Where(span => span.TraceId == server.TraceId).ToList();
        Assert.Equal(["call", "call", "retry"], spans.Select(static span => span.OperationName));
        Assert.Equal(new[] { server.SpanId, spans[2].SpanId, server.SpanId }, spans.Select(static span => span.ParentSpanId));
        Assert.Equal("Moved", spans[2].GetTagItem(TraceTags.RetryReason));
        Assert.Equal([nameof(StatusCode.Unavailable), nameof(StatusCode.Ok)], spans.Take(2).Select(static span => span.GetTagItem(TraceTags.Outcome)));
        Assert.Equal([ActivityStatusCode.Error, ActivityStatusCode.Unset], spans.Take(2).Select(static span => span.Status));
    }

    [Fact]
    public void WithinWhatIsNotRecorded_ThereIsNoSpan()
    {
        using var listener = Listen([]);
        using var outer = new Activity("unsampled").Start();

        Assert.Null(ServingTrace.BeginWithin("infer"));
        ServingTrace.Send();
        Assert.Equal(default, ServingTrace.Received());
    }

    private static ActivityContext Somewhere() => new(ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, isRemote: true);

    private static ActivityListener Listen(ConcurrentQueue<Activity> ended)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ServingTrace.SourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
