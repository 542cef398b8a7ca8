using Cluster.Gateway.Console;

namespace Cluster.Gateway.Rest;

internal sealed record EventsAnswer(IEnumerable<EventRow> Events);

/// <summary>An event as JSON; what it is not about is left out.</summary>
internal sealed record EventRow(string Id, DateTimeOffset Time, string Kind, string? Model, string? Alias, long? Version, string? Silo, long? Milliseconds, string Text)
{
    public static EventRow Of(ClusterEvent happened, Timeline timeline) => new(
        timeline.IdOf(happened), happened.Time, happened.Kind, happened.Model, happened.Alias, happened.Version, happened.Silo, happened.Milliseconds, happened.Text);
}
