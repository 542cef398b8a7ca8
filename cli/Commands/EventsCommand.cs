using System.CommandLine;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>events [-w]</c>: what happened and why, and what happens from then on.</summary>
internal static class EventsCommand
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly Column[] Columns =
    [
        new("TIME", static row => Time(row)),
        new("KIND", static row => row.Text("kind")),
        new("MODEL", static row => Model(row)),
        new("SILO", static row => row.Text("silo"), IsWide: true),
        new("TEXT", static row => row.Text("text")),
    ];

    public static Command Create(Verbs verbs)
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Go on until it is interrupted" };
        var count = new Option<int?>("--count", "-n") { HelpName = "COUNT", Description = "With --watch: end after so many events" };
        count.TakesAtLeastOne();
        var model = new Option<string?>("--model") { HelpName = "MODEL", Description = "Events of this model alone" };
        var command = verbs.Create(
            "events",
            "Tells what this gateway has seen since its start; needs observe.",
            async (session, parsed, cancellationToken) =>
            {
                var wanted = parsed.GetValue(model);
                if (parsed.GetValue(watch))
                {
                    await WatchAsync(session, wanted, parsed.GetValue(count) ?? int.MaxValue, cancellationToken);
                    return ExitCodes.Done;
                }

                var answer = await session.Client.GetAsync(Paths.Events, cancellationToken);
                var events = answer.List("events").Where(happened => Concerns(happened, wanted)).ToList();
                session.Output.Write(new JsonArray([.. events.Select(static happened => happened.DeepClone())]), events, Columns);
                return ExitCodes.Done;
            },
            parsed => !parsed.GetValue(watch));
        command.Options.Add(watch);
        command.Options.Add(count);
        command.Options.Add(model);
        return command;
    }

    /// <summary>A gateway that ends its stream is asked again, after its last event. A gateway that is gone ends the watch.</summary>
    private static async Task WatchAsync(Session session, string? model, int count, CancellationToken cancellationToken)
    {
        string? last = null;
        var seen = new SeenEvents();
        while (true)
        {
            using var answer = await session.Client.OpenEventsAsync(last, cancellationToken);
            await using var body = await answer.Content.ReadAsStreamAsync(cancellationToken);
            try
            {
                await foreach (var item in SseParser.Create(body).EnumerateAsync(cancellationToken))
                {
                    last = item.EventId ?? last;
                    if (Fields.TryParse(item.Data) is not { } happened || !seen.Add(happened) || !Concerns(happened, model))
                    {
                        continue;
                    }

                    Write(session.Output, happened);
                    if (--count == 0)
                    {
                        return;
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException)
            {
                await session.Surroundings.Error.WriteLineAsync("the stream broke off, connecting again");
            }

            await Task.Delay(Pause, session.Surroundings.Time, cancellationToken);
        }
    }

    private static bool Concerns(JsonNode happened, string? model) => model is null || happened.Text("model") == model;

    private static void Write(Printer output, JsonNode happened)
    {
        if (output.IsForPeople)
        {
            output.Line(string.Create(CultureInfo.InvariantCulture, $"{Time(happened)}  {happened.Text("kind"),-14}  {Model(happened)}  {happened.Text("text")}"));
        }
        else
        {
            output.Item(happened);
        }
    }

    private static string Time(JsonNode happened) =>
        DateTimeOffset.TryParse(happened.Text("time"), CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture) : "";

    private static string Model(JsonNode happened) => happened.Text("version") is { Length: > 0 } version ? $"{happened.Text("model")}/{version}" : happened.Text("model");
}

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
