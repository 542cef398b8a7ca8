using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Spectre.Console;

namespace Cluster.Cli.Commands;

/// <summary><c>top</c>: totals, silos, and the models with the most requests, every few seconds.</summary>
internal static class TopCommand
{
    private const int DefaultSeconds = 2;
    private const int DefaultRows = 20;

    public static Command Create(Verbs verbs)
    {
        var interval = new Option<int>("--interval") { HelpName = "SECONDS", Description = "Time between two looks", DefaultValueFactory = static _ => DefaultSeconds };
        var count = new Option<int?>("--count", "-n") { HelpName = "COUNT", Description = "End after so many looks" };
        var rows = new Option<int>("--rows") { HelpName = "COUNT", Description = "The most models to show", DefaultValueFactory = static _ => DefaultRows };
        interval.TakesAtLeastOne(CommonOptions.MostSeconds);
        count.TakesAtLeastOne();
        rows.TakesAtLeastOne();

        var command = verbs.Create(
            "top",
            "Shows the cluster at work, live; needs observe.",
            async (session, parsed, cancellationToken) =>
            {
                var looks = parsed.GetValue(count) ?? int.MaxValue;
                var pause = TimeSpan.FromSeconds(parsed.GetValue(interval));
                await RunAsync(session, looks, pause, parsed.GetValue(rows), cancellationToken);
                return ExitCodes.Done;
            },
            static _ => false);
        command.Options.Add(interval);
        command.Options.Add(count);
        command.Options.Add(rows);
        return command;
    }

    private static async Task RunAsync(Session session, int looks, TimeSpan pause, int rows, CancellationToken cancellationToken)
    {
        var first = await session.Client.GetAsync(Paths.Cluster, cancellationToken);
        if (!session.Output.IsForPeople)
        {
            await EachAsync(session, first, looks, pause, session.Output.Item, cancellationToken);
        }
        else if (session.Surroundings.Width is null)
        {
            await EachAsync(session, first, looks, pause, cluster => session.Output.Console.Write(Page(session.Output, cluster, rows)), cancellationToken);
        }
        else
        {
            await session.Output.Console.Live(Page(session.Output, first, rows)).StartAsync(live =>
                EachAsync(session, first, looks, pause, cluster => live.UpdateTarget(Page(session.Output, cluster, rows)), cancellationToken));
        }
    }

    private static async Task EachAsync(Session session, JsonNode first, int looks, TimeSpan pause, Action<JsonNode> show, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(pause, session.Surroundings.Time);
        show(first);
        for (var look = 1; look < looks; look++)
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            show(await session.Client.GetAsync(Paths.Cluster, cancellationToken));
        }
    }

    private static Rows Page(Printer output, JsonNode cluster, int rows)
    {
        var versions = ClusterRows.OfVersions(cluster.List("models")).OrderByDescending(Rate).ThenBy(static row => row.Text("name"), StringComparer.Ordinal).Take(rows);
        return new Rows(
            output.Table([cluster], ClusterRows.Totals), Text.Empty, output.Table(cluster.List("nodes"), ClusterRows.Silos), Text.Empty, output.Table(versions, ClusterRows.Models), Text.Empty);
    }

    private static double Rate(JsonNode row) => row["version"].List("copies").Sum(static replica => replica.Number("requests_per_second") ?? 0);
}
