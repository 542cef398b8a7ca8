using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Manifests;

/// <summary>A traffic rule of a file, whose members are those of the gateway's; what is left out has its default.</summary>
internal sealed record TrafficManifest(JsonObject Rule)
{
    /// <summary>Each member of a rule with its default; null where there is none.</summary>
    public static readonly IReadOnlyDictionary<string, JsonNode?> Defaults = new Dictionary<string, JsonNode?>
    {
        ["candidate"] = null,
        ["candidate_version"] = null,
        ["active_version"] = null,
        ["percent"] = 0,
        ["shadow"] = false,
        ["sticky_header"] = null,
        ["sticky_id"] = false,
        ["absolute_tolerance"] = 1e-5,
        ["relative_tolerance"] = 1e-3,
        ["max_error_rate"] = 0.05,
        ["max_p99_ratio"] = null,
        ["max_mean_ratio"] = null,
        ["max_drift"] = null,
        ["min_requests"] = 100,
        ["window_seconds"] = 60,
    };

    /// <exception cref="CommandFailure">It is no mapping, has an unknown member, or names no candidate.</exception>
    public static TrafficManifest? Of(JsonNode? node, string where)
    {
        if (node is null)
        {
            return null;
        }

        var mapping = node as JsonObject ?? throw CommandFailure.Usage($"{where}: traffic is no mapping, expected candidate, percent and what else a rule has");
        ClusterManifest.Only(mapping, [.. Defaults.Keys], $"{where}: traffic");
        return ClusterManifest.Text(mapping, "candidate", where) is null ? throw CommandFailure.Usage($"{where}: traffic has no candidate, expected a model") : new TrafficManifest(mapping);
    }

    /// <summary>Whether a rule of the gateway says the same.</summary>
    public bool IsAs(JsonNode rule) => Defaults.All(member => Same(Rule.ContainsKey(member.Key) ? Rule[member.Key] : member.Value, (rule as JsonObject)?[member.Key]));

    public override string ToString() => Words(Rule);

    /// <summary>As <c>10 % to digits/2</c>, or <c>10 % copied to digits/2</c>.</summary>
    public static string Words(JsonNode? rule)
    {
        var target = rule.Text("candidate_version") is { Length: > 0 } version ? $"{rule.Text("candidate")}/{version}" : rule.Text("candidate");
        return $"{(rule.Number("percent") ?? 0).ToString(CultureInfo.InvariantCulture)} % {(rule.Is("shadow") ? "copied to" : "to")} {target}";
    }

    private static bool Same(JsonNode? left, JsonNode? right) =>
        left?.GetValueKind() == JsonValueKind.Number && right?.GetValueKind() == JsonValueKind.Number
            ? ToDouble(left) == ToDouble(right)
            : JsonNode.DeepEquals(left, right);

    private static double ToDouble(JsonNode number) => double.Parse(number.ToJsonString(), CultureInfo.InvariantCulture);
}
