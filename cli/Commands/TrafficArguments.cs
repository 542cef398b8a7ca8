using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Manifests;

namespace Cluster.Cli.Commands;

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
