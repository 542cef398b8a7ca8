using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>drain SILO</c> and <c>undrain SILO</c>: a silo without replicas, whose process goes on.</summary>
internal static class DrainCommands
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);

    public static Command CreateDrain(Verbs verbs)
    {
        var silo = Silo();
        var wait = new Option<bool>("--wait") { Description = "Wait until the silo has no replica; needs observe" };
        var command = verbs.Create("drain", "Has a silo take nothing new and move its replicas to others; needs manage for *.", async (session, parsed, cancellationToken) =>
        {
            var node = await session.Client.PostAsync(Paths.Drain(parsed.GetRequiredValue(silo), drains: true), null, cancellationToken);
            if (parsed.GetValue(wait))
            {
                node = await UntilEmptyAsync(session, node.Text("silo"), cancellationToken);
            }

            return session.Output.Done(node, $"silo '{node.Text("silo")}' drains{(node.Number("copies") > 0 ? $": {node.Text("copies")} replicas move to others" : ", and has no replica")}");
        });
        command.Arguments.Add(silo);
        command.Options.Add(wait);
        return command;
    }

    public static Command CreateUndrain(Verbs verbs)
    {
        var silo = Silo();
        var command = verbs.Create("undrain", "Has a silo that was drained take replicas again; needs manage for *.", async (session, parsed, cancellationToken) =>
        {
            var node = await session.Client.PostAsync(Paths.Drain(parsed.GetRequiredValue(silo), drains: false), null, cancellationToken);
            return session.Output.Done(node, $"silo '{node.Text("silo")}' takes replicas");
        });
        command.Arguments.Add(silo);
        return command;
    }

    private static Argument<string> Silo() => new("SILO") { Description = "Its address, or its name" };

    /// <exception cref="CommandFailure">The silo is gone, or takes replicas again.</exception>
    private static async Task<JsonNode> UntilEmptyAsync(Session session, string silo, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Look, session.Surroundings.Time);
        var isSeen = false;
        while (true)
        {
            var node = (await session.Client.GetAsync(Paths.Cluster, cancellationToken)).List("nodes").FirstOrDefault(node => node.Text("silo") == silo && node.Text("status") == "Active")
                ?? throw CommandFailure.Failed($"silo '{silo}' is no active member any more");
            if (node.Is("draining") && node.Number("copies") == 0)
            {
                return node;
            }

            // What the silo tells of itself reaches the gateway some time after the drain has begun.
            if (isSeen && !node.Is("draining"))
            {
                throw CommandFailure.Failed($"silo '{silo}' is drained no more");
            }

            isSeen |= node.Is("draining");
            await timer.WaitForNextTickAsync(cancellationToken);
        }
    }
}
