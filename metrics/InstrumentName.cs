namespace Cluster.Metrics;

/// <summary>The Prometheus name of an instrument: underscores for dots, the unit spelled out, <c>_total</c> behind counters.</summary>
internal static class InstrumentName
{
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["d"] = "days",
        ["h"] = "hours",
        ["min"] = "minutes",
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["GiBy"] = "gibibytes",
        ["%"] = "percent",
    };

    public static string Of(string name, string? unit, MetricKind kind)
    {
        var result = ExpositionText.MetricName(name);
        if (UnitWord(unit, kind) is { } word)
        {
            result = WithSuffix(result, word);
        }

        return kind == MetricKind.Counter ? WithSuffix(result, "total") : result;
    }

    private static string WithSuffix(string name, string suffix) =>
        name.EndsWith("_" + suffix, StringComparison.Ordinal) ? name : $"{name}_{suffix}";

    /// <summary>Null for no unit, for annotations such as {request}, and for units that have no word.</summary>
    private static string? UnitWord(string? unit, MetricKind kind)
    {
        if (string.IsNullOrEmpty(unit) || unit.StartsWith('{'))
        {
            return null;
        }

        if (unit == "1")
        {
            return kind == MetricKind.Gauge ? "ratio" : null;
        }

        var slash = unit.IndexOf('/', StringComparison.Ordinal);
        if (slash > 0 && Units.TryGetValue(unit[..slash], out var top) && Units.TryGetValue(unit[(slash + 1)..], out var per))
        {
            return $"{top}_per_{per.TrimEnd('s')}";
        }

        return Units.GetValueOrDefault(unit);
    }
}
