using System.IO.Pipelines;
using System.Net;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Console;
using Cluster.Gateway.Rest.Control;
using Cluster.Gateway.Security;
using Cluster.Gateway.Security.Policy;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>When streams of events are written to, when they end, and how many there may be.</summary>
public sealed class EventStreamTests : IDisposable
{
    private const int Hidden = 50;

    private static readonly TimeSpan Pulse = TimeSpan.FromSeconds(15);

    private readonly FakeTimeProvider _time = new();
    private readonly TestLifetime _lifetime = new();
    private readonly Timeline _timeline;
    private readonly EventsEndpoint _endpoint;
    private readonly AccessControl _access;

    public EventStreamTests()
    {
        var options = new ConsoleOptions { Streams = 3, StreamsPerClient = 2 };
        _timeline = new Timeline(options, _time);
        _endpoint = new EventsEndpoint(_timeline, new EventStreams(options), _lifetime, _time);
        _access = new AccessControl(_time)
        {
            Policy = new AccessPolicy([.. new[] { "one", "two" }.Select(static name => new ClientRights(name, [new AccessRule([Permission.Observe], [new NamePattern("*")])])
            {
                Keys = [],
                Certificates = [],
                Tokens = [],
                Quota = ClientQuota.None,
            })]),
        };
    }

    public void Dispose() => _lifetime.Dispose();

    [Fact]
    public async Task Stream_HiddenEvents_ChangeNothingThatTheCallerSees()
    {
        var (served, reader) = Open("one");
        var (all, sighted) = Open(null);
        Assert.Equal(": alive", await NextAsync(reader));
        Assert.Equal(": alive", await NextAsync(sighted));

        // One by one, so that the stream has looked at most of them by themselves.
        for (var hidden = 0; hidden < Hidden; hidden++)
        {
            _timeline.Add(new ClusterEvent(EventKinds.Loaded, "hidden") { Model = "secret" });
            Assert.Contains("\"text\":\"hidden\"", await NextAsync(sighted), StringComparison.Ordinal);
        }

        _timeline.Add(new ClusterEvent(EventKinds.SiloDied, "seen"));
        Assert.Contains("\"text\":\"seen\"", await NextAsync(reader), StringComparison.Ordinal);

        // A pulse counts from what was written last.
        _time.Advance(Pulse);
        Assert.Equal(": alive", await NextAsync(reader));
        _timeline.Add(new ClusterEvent(EventKinds.SiloDied, "last"));
        Assert.Contains("\"text\":\"last\"", await NextAsync(reader), StringComparison.Ordinal);

        await EndAsync(served, all);
    }

    [Fact]
    public async Task Stream_AfterFiveMinutes_EndsByItself()
    {
        var (served, reader) = Open("one");
        Assert.Equal(": alive", await NextAsync(reader));

        _time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromSeconds(1));
        Assert.Equal(": alive", await NextAsync(reader));
        Assert.False(served.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));

        await served.Soon();
    }

    [Fact]
    public async Task Streams_BeyondTheBounds_AreRefusedUntilOneEnds()
    {
        var (first, _) = Open("one");
        var (second, _) = Open("one");
        var third = await Assert.ThrowsAsync<ServingException>(() => Open("one").Served);
        var (other, _) = Open("two");
        var full = await Assert.ThrowsAsync<ServingException>(() => Open("two").Served);

        Assert.Equal((StatusCode.ResourceExhausted, "client 'one' has 2 streams of events, as many as one may have (Console:StreamsPerClient)"), (third.Failure.Code, third.Failure.Message));
        Assert.Equal("this gateway has 3 streams of events, as many as it takes (Console:Streams)", full.Failure.Message);
        Assert.NotNull(full.Failure.RetryAfter);

        _time.Advance(TimeSpan.FromMinutes(5));
        await Task.WhenAll(first, second, other).Soon();
        var (again, _) = Open("one");
        await EndAsync(again);
    }

    [Fact]
    public async Task Streams_WithoutIdentities_AreCountedByAddress()
    {
        Task[] open = [Open(null).Served, Open(null).Served, Open(null, "192.0.2.2").Served];
        var streams = new EventStreams(new ConsoleOptions { Streams = 10, StreamsPerClient = 1 });
        using var stream = streams.Enter(Caller.Anyone, IPAddress.Parse("192.0.2.1"));
        using var another = streams.Enter(Caller.Anyone, IPAddress.Parse("192.0.2.2"));

        var refused = Assert.Throws<ServingException>(() => streams.Enter(Caller.Anyone, IPAddress.Parse("192.0.2.1")));

        Assert.Contains("address 192.0.2.1 has 1 streams", refused.Failure.Message, StringComparison.Ordinal);
        await EndAsync(open);
    }

    private (Task Served, StreamReader Reader) Open(string? client, string address = "192.0.2.1")
    {
        var pipe = new Pipe();
        var context = new DefaultHttpContext();
        context.Request.Method = HttpMethods.Get;
        context.Request.Headers.Accept = "text/event-stream";
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        context.Response.Body = pipe.Writer.AsStream();
        if (client is not null)
        {
            context.Features.Set(_access.CallerOf(_access.Policy.Find(client)!));
        }

        return (_endpoint.GetAsync(context), new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8));
    }

    private static async Task<string?> NextAsync(StreamReader reader)
    {
        while (true)
        {
            var line = await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().Soon();
            if (line is null || line.StartsWith(':') || line.StartsWith("data:", StringComparison.Ordinal))
            {
                return line;
            }
        }
    }

    private Task EndAsync(params Task[] served)
    {
        _lifetime.StopApplication();
        return Task.WhenAll(served).Soon();
    }
}
