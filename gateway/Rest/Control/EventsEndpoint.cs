using System.Net;
using System.Text;
using Cluster.Contracts.Errors;
using Cluster.Gateway.Console;
using Cluster.Gateway.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Hosting;

namespace Cluster.Gateway.Rest.Control;

/// <summary>
/// <c>GET /v2/cluster/events</c>: what this gateway keeps of its timeline, as JSON; or, where the client accepts <c>text/event-stream</c>, the same and what happens
/// from then on. A stream holds no events of its own: a client that reads too slowly misses those that the timeline has dropped. It ends by itself, so that its client
/// shows its credential again.
/// </summary>
internal sealed class EventsEndpoint(Timeline timeline, EventStreams streams, IHostApplicationLifetime lifetime, TimeProvider time)
{
    private const string EventStream = "text/event-stream";

    /// <summary>What stands between takes a connection without a byte for dead after 30 s or more.</summary>
    private static readonly TimeSpan Pulse = TimeSpan.FromSeconds(15);

    /// <summary>For so long a credential that is taken away or runs out may go on reading; each end costs a client a second or so.</summary>
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(5);

    public Task GetAsync(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.Accept.Any(static accept => accept?.Contains(EventStream, StringComparison.OrdinalIgnoreCase) == true)
            ? StreamAsync(context)
            : JsonAnswer.WriteAsync(context, new EventsAnswer(After(0, Caller.Of(context)).Select(happened => EventRow.Of(happened, timeline))));

    private async Task StreamAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMetricsTagsFeature>() is { } metrics)
        {
            // Hours of waiting are no time that an answer takes.
            metrics.MetricsDisabled = true;
        }

        var caller = Caller.Of(context);
        using var stream = streams.Enter(caller, context.Connection.RemoteIpAddress);
        context.Response.ContentType = EventStream;
        context.Response.Headers.CacheControl = "no-store";
        await context.Response.Body.FlushAsync(context.RequestAborted);
        using var age = new CancellationTokenSource(Age, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, age.Token);
        try
        {
            await FollowAsync(context, caller, end.Token);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested || age.IsCancellationRequested)
        {
            // The client asks again, another gateway if this one stops: the server would wait for its streams.
        }
    }

    private async Task FollowAsync(HttpContext context, Caller caller, CancellationToken cancellationToken)
    {
        var last = timeline.NumberOf(context.Request.Headers["Last-Event-ID"]);
        using var pulse = new PeriodicTimer(Pulse, time);
        var beat = Task.FromResult(true);

        // Rights may be taken away while a stream is open.
        while (caller.May(Permission.Observe, "*"))
        {
            var next = timeline.Next;
            var events = timeline.After(last);
            last = events.Count > 0 ? events[^1].Number : last;
            var visible = Visible(events, caller).ToList();

            // A pulse counts from what was written last, so that no time of writing tells of events that this caller may not see.
            if (visible.Count > 0 || beat.IsCompleted)
            {
                pulse.Period = Pulse;
                beat = beat.IsCompleted ? pulse.WaitForNextTickAsync(cancellationToken).AsTask() : beat;
                await WriteAsync(context, visible, cancellationToken);
            }

            await Task.WhenAny(next, beat);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private async Task WriteAsync(HttpContext context, IEnumerable<ClusterEvent> events, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        foreach (var happened in events)
        {
            text.Append("id: ").Append(timeline.IdOf(happened)).Append("\ndata: ").Append(Encoding.UTF8.GetString(JsonAnswer.ToBytes(EventRow.Of(happened, timeline)))).Append("\n\n");
        }

        // A line that is a comment tells the client, and what stands between, that the stream is alive.
        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text.Length > 0 ? text.ToString() : ": alive\n\n"), cancellationToken);
        await context.Response.Body.FlushAsync(cancellationToken);
    }

    private IEnumerable<ClusterEvent> After(long number, Caller caller) => Visible(timeline.After(number), caller);

    private static IEnumerable<ClusterEvent> Visible(IEnumerable<ClusterEvent> events, Caller caller) =>
        events.Where(happened => (happened.Model is null || caller.May(Permission.Read, happened.Model)) && (happened.Alias is null || caller.May(Permission.Read, happened.Alias)));
}

internal sealed record EventsAnswer(IEnumerable<EventRow> Events);

/// <summary>An event as JSON, without its empty members.</summary>
internal sealed record EventRow(string Id, DateTimeOffset Time, string Kind, string? Model, string? Alias, long? Version, string? Silo, long? Milliseconds, string Text)
{
    public static EventRow Of(ClusterEvent happened, Timeline timeline) => new(
        timeline.IdOf(happened), happened.Time, happened.Kind, happened.Model, happened.Alias, happened.Version, happened.Silo, happened.Milliseconds, happened.Text);
}

/// <summary>How many streams of events are open. Each keeps a connection for minutes, which requests need too. Thread-safe.</summary>
internal sealed class EventStreams(ConsoleOptions options)
{
    /// <summary>A place is free only once another client leaves, because clients that stay open their streams again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _clients = new(StringComparer.Ordinal);
    private int _open;

    /// <summary>Counts a stream until the returned object is disposed.</summary>
    /// <param name="address">Stands for the client where no identity is asked for.</param>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: there are as many as there may be.</exception>
    public IDisposable Enter(Caller caller, IPAddress? address)
    {
        var client = caller.Name.Length > 0 ? $"client '{caller.Name}'" : $"address {address ?? IPAddress.None}";
        lock (_lock)
        {
            var open = _clients.GetValueOrDefault(client);
            if (_open >= options.Streams)
            {
                throw Refusal($"this gateway has {_open} streams of events, as many as it takes (Console:Streams)");
            }

            if (open >= options.StreamsPerClient)
            {
                throw Refusal($"{client} has {open} streams of events, as many as one may have (Console:StreamsPerClient)");
            }

            _open++;
            _clients[client] = open + 1;
        }

        return new OpenStream(this, client);
    }

    private static ServingException Refusal(string message) => new(Failure.Exhausted(message, RetryAfter));

    private void Leave(string client)
    {
        lock (_lock)
        {
            _open--;
            if (--_clients[client] == 0)
            {
                _clients.Remove(client);
            }
        }
    }

    private sealed class OpenStream(EventStreams streams, string client) : IDisposable
    {
        public void Dispose() => streams.Leave(client);
    }
}
