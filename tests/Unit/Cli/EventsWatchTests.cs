using System.Text.Json.Nodes;
using Xunit;

namespace Cluster.Unit.Cli;

/// <summary><c>events -w</c> across streams that end.</summary>
public sealed class EventsWatchTests
{
    [Fact]
    public async Task Watch_ReachesAnotherGateway_PrintsOnlyWhatIsLater()
    {
        await using var gateway = await FakeGateway.StartAsync();
        gateway.Streams.Enqueue(Event("10-1", 5) + Event("10-2", 5));
        gateway.Streams.Enqueue(Event("20-1", 4) + Event("20-2", 5));

        // The first gateway again sends all that it keeps.
        gateway.Streams.Enqueue(Event("10-1", 5) + Event("10-2", 5) + Event("10-3", 6));

        var run = await gateway.RunAsync("events", "-w", "-n", "3", "-o", "json");

        Assert.Equal((0, "10-1 10-2 10-3"), (run.ExitCode, string.Join(' ', run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => $"{JsonNode.Parse(line)!["id"]}"))));
    }

    private static string Event(string id, int second) => $$"""
        id: {{id}}
        data: {"id":"{{id}}","time":"2026-01-01T00:00:{{second:00}}Z","kind":"loaded","text":"t"}


        """;
}
