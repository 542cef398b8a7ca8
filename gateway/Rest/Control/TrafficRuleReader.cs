using System.Text.Json;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Registry;

namespace Cluster.Gateway.Rest.Control;

/// <summary>
/// Reads a traffic rule: <c>{"candidate":"m","percent":10}</c> and what else <see cref="TrafficRuleRow"/> has. What is left out has its default; null is for no limit, no header and
/// the server's choice of a version. Whether the values can be, the alias says.
/// </summary>
internal static class TrafficRuleReader
{
    private const int MaxDepth = 4;

    /// <exception cref="ServingException">INVALID_ARGUMENT: no JSON, or a member that is unknown, is missing or has another type.</exception>
    public static TrafficRule Read(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return document.RootElement.ValueKind == JsonValueKind.Object ? Read(document.RootElement) : throw Wrong("the rule", "an object");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The second: a string that is no text.
            throw new ServingException(Failure.InvalidArgument("the request is not valid JSON, expected a traffic rule"), exception);
        }
    }

    private static TrafficRule Read(JsonElement body)
    {
        var rule = new TrafficRule { Candidate = "" };
        foreach (var member in body.EnumerateObject())
        {
            rule = Read(rule, member.Name, member.Value);
        }

        return rule.Candidate.Length > 0 ? rule : throw ServingException.InvalidArgument("candidate is missing, expected the name of a model");
    }

    private static TrafficRule Read(TrafficRule rule, string name, JsonElement value) => name switch
    {
        "candidate" => rule with { Candidate = Text(name, value) ?? throw Wrong(name, "the name of a model") },
        "candidate_version" => rule with { CandidateVersion = Whole(name, value) },
        "active_version" => rule with { ActiveVersion = Whole(name, value) },
        "percent" => rule with { Percent = Present(name, Number(name, value)) },
        "shadow" => rule with { Shadow = Flag(name, value) },
        "sticky_header" => rule with { StickyHeader = Text(name, value) },
        "sticky_id" => rule with { StickyId = Flag(name, value) },
        "absolute_tolerance" => rule with { AbsoluteTolerance = Present(name, Number(name, value)) },
        "relative_tolerance" => rule with { RelativeTolerance = Present(name, Number(name, value)) },
        _ => rule with { Limits = Read(rule.Limits, name, value) },
    };

    private static TrafficLimits Read(TrafficLimits limits, string name, JsonElement value) => name switch
    {
        "max_error_rate" => limits with { ErrorRate = Number(name, value) },
        "max_p99_ratio" => limits with { P99Ratio = Number(name, value) },
        "max_mean_ratio" => limits with { MeanRatio = Number(name, value) },
        "max_drift" => limits with { Drift = Number(name, value) },
        "min_requests" => limits with { MinRequests = (int)Math.Clamp(Whole(name, value) ?? 0, int.MinValue, int.MaxValue) },
        "window_seconds" => limits with { Window = Span(name, Present(name, Number(name, value))) },
        _ => throw ServingException.InvalidArgument(
            "the rule has an unknown member, expected candidate, candidate_version, active_version, percent, shadow, sticky_header, sticky_id, absolute_tolerance, relative_tolerance, "
            + "max_error_rate, max_p99_ratio, max_mean_ratio, max_drift, min_requests and window_seconds"),
    };

    private static string? Text(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Null => null,
        _ => throw Wrong(name, "a string"),
    };

    private static bool Flag(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    };

    private static long? Whole(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out var number) => number,
        JsonValueKind.Null => null,
        _ => throw Wrong(name, "a whole number"),
    };

    private static double? Number(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
        JsonValueKind.Null => null,
        _ => throw Wrong(name, "a number"),
    };

    private static double Present(string name, double? value) => value ?? throw Wrong(name, "a number");

    /// <summary>What no time can be is as wrong as none.</summary>
    private static TimeSpan Span(string name, double seconds) =>
        Math.Abs(seconds) < TimeSpan.MaxValue.TotalSeconds / 2 ? TimeSpan.FromSeconds(seconds) : throw Wrong(name, "seconds, up to a day");

    private static ServingException Wrong(string name, string expected) => ServingException.InvalidArgument($"{name} is of another type, expected {expected}");
}
