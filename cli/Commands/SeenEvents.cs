using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary>
/// What a watch has had of the timeline, across gateways. Each start of a gateway keeps events of its own, under ids with its own prefix. A watch that reaches another
/// gateway gets all that it keeps. Those up to the time of the last event of the gateway before are known already.
/// </summary>
internal sealed class SeenEvents
{
    private string? _gateway;
    private long _number;
    private DateTimeOffset _latest = DateTimeOffset.MinValue;

    /// <summary>Whether an event is new. One without an id or a time always is.</summary>
    public bool Add(JsonNode happened)
    {
        if (happened.Text("id").Split('-') is not [var gateway, var text]
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !DateTimeOffset.TryParse(happened.Text("time"), CultureInfo.InvariantCulture, DateTimeStyles.None, out var time))
        {
            return true;
        }

        if (gateway == _gateway ? number <= _number : time <= _latest)
        {
            return false;
        }

        (_gateway, _number) = (gateway, number);
        _latest = time > _latest ? time : _latest;
        return true;
    }
}
