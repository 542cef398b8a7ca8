using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Manifests;

namespace Cluster.Cli.Commands;

/// <summary><c>alias show|clear</c> and <c>rollback</c>: traffic rules of aliases.</summary>
internal static class TrafficCommands
{
    public static Command CreateShow(Verbs verbs) => Create(verbs, "show", "The traffic rule of an alias; needs read.", static async (session, alias, cancellationToken) =>
    {
        var row = await session.Client.GetAsync(Paths.Traffic(alias), cancellationToken);
        if (!session.Output.IsForPeople)
        {
            session.Output.Document(row);
            return ExitCodes.Done;
        }

        session.Output.Line($"Alias {alias} is model {row.Text("model")}");
        if (row["traffic"] is not { } traffic)
        {
            session.Output.Line("It has no traffic rule");
            return ExitCodes.Done;
        }

        session.Output.Line($"Rule  {Words(traffic)}");
        foreach (var (name, value) in (traffic["rule"] as JsonObject)!.Where(static member => member.Value is not null))
        {
            session.Output.Line($"  {name} {value}");
        }

        return ExitCodes.Done;
    });

    public static Command CreateClear(Verbs verbs) => Create(verbs, "clear", "Ends the traffic rule of an alias; needs manage.", static async (session, alias, cancellationToken) =>
        session.Output.Done(await session.Client.PostAsync(Paths.Traffic(alias) + "/clear", null, cancellationToken), $"alias '{alias}' has no traffic rule"));

    public static Command CreateRollback(Verbs verbs) => Create(verbs, "rollback", "Ends the share of an alias's candidate, and keeps the rule for the record; needs manage.", static async (session, alias, cancellationToken) =>
    {
        var row = await session.Client.PostAsync(Paths.Traffic(alias) + "/rollback", null, cancellationToken);
        return session.Output.Done(row, $"alias '{alias}': {Words(row["traffic"])}");
    });

    /// <summary>Gives an alias a rule.</summary>
    /// <returns>The alias.</returns>
    /// <exception cref="CommandFailure">It is refused; or, where it is waited for, the candidate does not load.</exception>
    public static async Task<JsonNode> SetAsync(ClusterClient client, string alias, JsonNode rule, bool wait, CancellationToken cancellationToken)
    {
        using var body = new StringContent(rule.ToJsonString(), Encoding.UTF8, "application/json");
        var row = await client.PostAsync($"{Paths.Traffic(alias)}/set{(wait ? "?wait=true" : "")}", body, cancellationToken);
        return wait && row["traffic"].Text("failure") is { Length: > 0 } failure
            ? throw CommandFailure.Failed($"alias '{alias}' gives its candidate nothing, as that does not load: {failure}")
            : row;
    }

    /// <summary>A rule with its state, in a line; empty for none.</summary>
    public static string Words(JsonNode? traffic)
    {
        if (traffic is null)
        {
            return "";
        }

        var rule = TrafficManifest.Words(traffic["rule"]);
        return traffic.Text("state") switch
        {
            "active" => rule,
            "rolled_back" => $"{rule}, rolled back by {traffic["rolled_back"].Text("by")}: {traffic["rolled_back"].Text("reason")}",
            "load_failed" => $"{rule}, once that loads: {traffic.Text("failure")}",
            _ => $"{rule}, once that is loaded",
        };
    }

    private static Command Create(Verbs verbs, string name, string help, Func<Session, string, CancellationToken, Task<int>> run)
    {
        var alias = new Argument<string>("ALIAS");
        var command = verbs.Create(name, help, (session, parsed, cancellationToken) => run(session, parsed.GetRequiredValue(alias), cancellationToken));
        command.Arguments.Add(alias);
        return command;
    }
}
