using System.Text;
using Cluster.Contracts.Nodes;
using Cluster.Gateway.Console;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Gateway.Rest;

/// <summary>The timeline and the reasons of placement over HTTP.</summary>
public sealed class ClusterEventsTests : RestServer
{
    [Fact]
    public async Task GetEvents_AsJson_AreThoseThatAreKept()
    {
        Host.Timeline.Add(new ClusterEvent(EventKinds.FailedOver, "failed over in 640 ms") { Model = "m\"<", Alias = "a", Version = 2, Silo = "10.0.0.1:8002@7", Milliseconds = 640 });
        Host.Timeline.Add(new ClusterEvent(EventKinds.SiloDied, "silo one died"));

        var answer = await Host.GetAsync("/v2/cluster/events");

        var events = RestHost.Parse(answer.Text).GetProperty("events");
        Assert.Equal("application/json", answer.Header("Content-Type"));
        Assert.Equal(2, events.GetArrayLength());
        Assert.EndsWith(
            ""","kind":"failed_over","model":"m\"<","alias":"a","version":2,"silo":"10.0.0.1:8002@7","milliseconds":640,"text":"failed over in 640 ms"}""", events[0].GetRawText(), StringComparison.Ordinal);
        Assert.EndsWith(""","kind":"silo_died","text":"silo one died"}""", events[1].GetRawText(), StringComparison.Ordinal);
        Assert.True(events[0].GetProperty("time").TryGetDateTimeOffset(out _));
    }

    [Fact]
    public async Task GetEvents_AsAStream_BeginsWithThoseThatAreKeptAndGoesOn()
    {
        Host.Timeline.Add(new ClusterEvent(EventKinds.Loaded, "before"));
        using var stream = await OpenAsync(null);
        using var reader = await ReaderAsync(stream);

        var (first, _) = await ReadAsync(reader);
        Host.Timeline.Add(new ClusterEvent(EventKinds.SiloDied, "after"));
        var (second, id) = await ReadAsync(reader);

        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType?.ToString());
        Assert.Contains("\"text\":\"before\"", first, StringComparison.Ordinal);
        Assert.Contains("\"text\":\"after\"", second, StringComparison.Ordinal);

        Host.Timeline.Add(new ClusterEvent(EventKinds.SiloJoined, "meanwhile"));
        using var again = await OpenAsync(id);
        using var resumed = await ReaderAsync(again);
        Assert.Contains("\"text\":\"meanwhile\"", (await ReadAsync(resumed)).Data, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetEvents_ServerStops_StreamEnds()
    {
        using var stream = await OpenAsync(null);
        using var reader = await ReaderAsync(stream);

        await Host.StopAsync().Soon();

        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken) is not null)
        {
            // What was written before the end.
        }
    }

    [Fact]
    public async Task GetPlacement_OfAModel_IsWhatThePolicySays()
    {
        Host.Api.Placement = [new PlacementDescription(3, 100, "no silo can take it", [new SiloVerdict("10.0.0.1:8002@7", false, false, "draining"), new SiloVerdict("10.0.0.2:8002@7", true, true, "has room")])];

        var answer = await Host.GetAsync("/v2/cluster/models/a%20b/placement");

        Assert.Equal(
            """
            {"model":"a b","versions":[{"version":3,"bytes":100,"problem":"no silo can take it","silos":[{"silo":"10.0.0.1:8002@7","fits":false,"candidate":false,"reason":"draining"},
            {"silo":"10.0.0.2:8002@7","fits":true,"candidate":true,"reason":"has room"}]}]}
            """.ReplaceLineEndings(""),
            answer.Text);
        Assert.Equal("a b", Host.Api.Asked?.Model);
    }

    [Fact]
    public async Task GetPlacement_OfAnUnknownModel_Is404()
    {
        var answer = await Host.GetAsync("/v2/cluster/models/nosuch/placement");

        Assert.Equal((404, """{"error":"Request for unknown model: 'nosuch' is not found"}"""), (answer.Status, answer.Text));
    }

    private async Task<HttpResponseMessage> OpenAsync(string? after)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/cluster/events");
        request.Headers.Add("Accept", "text/event-stream");
        if (after is not null)
        {
            request.Headers.Add("Last-Event-ID", after);
        }

        return await Host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
    }

    private static async Task<StreamReader> ReaderAsync(HttpResponseMessage stream) =>
        new(await stream.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken), Encoding.UTF8);

    /// <summary>The next event, without what keeps the stream alive.</summary>
    private static async Task<(string Data, string Id)> ReadAsync(StreamReader reader)
    {
        var id = "";
        while (await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().Soon() is { } line)
        {
            id = line.StartsWith("id: ", StringComparison.Ordinal) ? line[4..] : id;
            if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                return (line[6..], id);
            }
        }

        throw new InvalidOperationException("the stream ended");
    }
}
