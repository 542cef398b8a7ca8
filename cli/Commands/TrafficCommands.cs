using System.CommandLine;
using System.Globalization;
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

/// <summary>The options of <c>alias set</c> that make a traffic rule.</summary>
internal sealed class TrafficArguments
{
    private readonly Option<string?> _canary = Text("--canary", "MODEL[/VERSION]", "Have a candidate answer a share of the requests; MODEL of the alias may then name a version too");
    private readonly Option<string?> _shadow = Text("--shadow", "MODEL[/VERSION]", "Send a candidate copies of a share of the requests, compare its answers and drop them");
    private readonly Option<bool> _stickyId = new("--sticky-id") { Description = "Requests of one id go one way" };
    private readonly (Option<string?> Option, string Member, bool IsNumber)[] _members =
    [
        (Text("--percent", "NUMBER", "The share, 0 to 100 in steps of 0.1; of a shadow 100 if not given"), "percent", true),
        (Text("--sticky-header", "NAME", "Requests with one value of this header go one way"), "sticky_header", false),
        (Text("--absolute-tolerance", "NUMBER", "How far numbers may be apart"), "absolute_tolerance", true),
        (Text("--relative-tolerance", "NUMBER", "The same, as a share of the active model's number"), "relative_tolerance", true),
        (Text("--max-error-rate", "SHARE", "Roll back above this share of failed requests [default: 0.05]"), "max_error_rate", true),
        (Text("--max-p99-ratio", "RATIO", "Roll back above this ratio of the 99th percentiles of latency"), "max_p99_ratio", true),
        (Text("--max-mean-ratio", "RATIO", "Roll back above this ratio of the means of latency"), "max_mean_ratio", true),
        (Text("--max-drift", "SHARE", "Of a shadow: roll back above this share of answers that differ"), "max_drift", true),
        (Text("--min-requests", "COUNT", "Judge after so many requests [default: 100]"), "min_requests", true),
        (Text("--window", "SECONDS", "Judge by the last so many seconds [default: 60]"), "window_seconds", true),
    ];

    public void AddTo(Command command)
    {
        command.Options.Add(_canary);
        command.Options.Add(_shadow);
        command.Options.Add(_stickyId);
        foreach (var (option, _, _) in _members)
        {
            command.Options.Add(option);
        }
    }

    /// <summary>The rule as the gateway reads it; null where none of the options is given.</summary>
    /// <param name="activeVersion">That is given with the alias's model; null for none.</param>
    /// <exception cref="CommandFailure">They do not fit each other.</exception>
    public JsonObject? Read(ParseResult parsed, long? activeVersion)
    {
        var (canary, shadow) = (parsed.GetValue(_canary), parsed.GetValue(_shadow));
        if (canary is not null && shadow is not null)
        {
            throw CommandFailure.Usage("--canary and --shadow are both given, expected one of them");
        }

        var rule = new JsonObject();
        foreach (var (option, member, isNumber) in _members)
        {
            if (parsed.GetValue(option) is { } text)
            {
                rule[member] = isNumber ? Number(option.Name, text) : text;
            }
        }

        var isSticky = parsed.GetValue(_stickyId);
        if ((canary ?? shadow) is not { } target)
        {
            return rule.Count == 0 && !isSticky && activeVersion is null ? null : throw CommandFailure.Usage("a version of the alias's model, or an option of a rule, is given without --canary or --shadow");
        }

        var (model, version) = ModelVersion.Parse(target);
        rule["candidate"] = model;
        rule["candidate_version"] = version;
        rule["active_version"] = activeVersion;
        rule["shadow"] = shadow is not null;
        rule["sticky_id"] = isSticky;
        rule["percent"] ??= shadow is not null ? 100 : throw CommandFailure.Usage("--canary is given without --percent, expected the candidate's share");
        return rule;
    }

    private static JsonValue Number(string option, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number == Math.Truncate(number) && Math.Abs(number) < int.MaxValue ? JsonValue.Create((long)number) : JsonValue.Create(number)
            : throw CommandFailure.Usage($"{option} is '{text}', expected a number");

    private static Option<string?> Text(string name, string argument, string help) => new(name) { HelpName = argument, Description = help };
}
