using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Cli.Documents;

/// <summary>Reads members of JSON that may be missing.</summary>
internal static class Fields
{
    private const double Kilo = 1024;
    private static readonly string[] Units = ["B", "KiB", "MiB", "GiB", "TiB"];

    public static JsonObject? TryParse(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>A member as text; empty where it is missing.</summary>
    public static string Text(this JsonNode? node, string name) => (node as JsonObject)?[name] switch
    {
        null => "",
        JsonValue value => value.ToString(),
        var other => other.ToJsonString(),
    };

    /// <summary>A member that is a number, read from a document or made here; null where it is none.</summary>
    public static double? Number(this JsonNode? node, string name) => (node as JsonObject)?[name] switch
    {
        JsonValue value when value.TryGetValue<double>(out var number) => number,
        JsonValue value when value.TryGetValue<long>(out var whole) => whole,
        JsonValue value when value.TryGetValue<int>(out var small) => small,
        _ => null,
    };

    public static bool Is(this JsonNode? node, string name) => (node as JsonObject)?[name] is JsonValue value && value.GetValueKind() == JsonValueKind.True;

    /// <summary>The elements of a member that is an array; none where it is missing.</summary>
    public static IEnumerable<JsonNode> List(this JsonNode? node, string name) => ((node as JsonObject)?[name] as JsonArray ?? []).OfType<JsonNode>();

    /// <summary>As <c>1.5 MiB</c>; empty for null.</summary>
    public static string Bytes(double? bytes)
    {
        if (bytes is not { } size)
        {
            return "";
        }

        var unit = 0;
        for (; size >= Kilo && unit < Units.Length - 1; unit++)
        {
            size /= Kilo;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{size:0.#} {Units[unit]}");
    }

    /// <summary>As <c>2.34</c>; empty for null.</summary>
    public static string Short(double? value) => value is { } number ? number.ToString("0.##", CultureInfo.InvariantCulture) : "";

    /// <summary>As <c>3 min</c>; empty for null.</summary>
    public static string Duration(double? seconds) => seconds switch
    {
        null => "",
        < 120 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0} s"),
        < 7200 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 60:0} min"),
        < 172800 => string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:0} h"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86400:0} d"),
    };
}
