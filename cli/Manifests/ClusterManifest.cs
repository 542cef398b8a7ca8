using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Cli.Manifests;

/// <summary>What a file says is to be registered, and where aliases are to lead.</summary>
internal sealed record ClusterManifest(IReadOnlyList<ModelManifest> Models, IReadOnlyList<AliasManifest> Aliases)
{
    /// <exception cref="CommandFailure">It cannot be read or something of it is wrong.</exception>
    public static ClusterManifest Read(string path)
    {
        var document = DocumentFile.Read(path) as JsonObject ?? throw CommandFailure.Usage($"{path} is no mapping, expected models: and aliases:");
        Only(document, ["models", "aliases"], path);
        return new ClusterManifest(
            [.. Entries(document, "models", path).Select(entry => ModelManifest.Of(entry.Key, entry.Value, $"{path}: model '{entry.Key}'"))],
            [.. Entries(document, "aliases", path).Select(entry => AliasManifest.Of(entry.Key, entry.Value, $"{path}: alias '{entry.Key}'"))]);
    }

    public static void Only(JsonObject mapping, string[] known, string where)
    {
        if (mapping.Select(static member => member.Key).FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw CommandFailure.Usage($"{where} has an unknown key '{unknown}', expected {string.Join(", ", known)}");
        }
    }

    /// <summary>A member that is text; null where it is missing.</summary>
    public static string? Text(JsonObject mapping, string name, string where) => mapping[name] switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        _ => throw CommandFailure.Usage($"{where}: {name} is no text; quote what reads as a number"),
    };

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Entries(JsonObject document, string name, string path) =>
        document[name] is null ? [] : document[name] as JsonObject ?? throw CommandFailure.Usage($"{path}: {name} is no mapping, expected one by name");
}

/// <param name="Settings">As in a model.json; null for those in the folder, or the defaults.</param>
internal sealed record ModelManifest(string Name, string Type, string Path, JsonNode? Settings)
{
    public const string DefaultType = "onnx";

    public ModelInfo Info => new() { Type = Type, Path = Path, Key = Settings?.ToJsonString() ?? "" };

    public static ModelManifest Of(string name, JsonNode? node, string where)
    {
        var mapping = node as JsonObject ?? throw CommandFailure.Usage($"{where} is no mapping, expected path, and type and settings where they are needed");
        ClusterManifest.Only(mapping, ["type", "path", "settings"], where);
        if (mapping["settings"] is not (null or JsonObject))
        {
            throw CommandFailure.Usage($"{where}: settings is no mapping, expected the members of a model.json");
        }

        var path = ClusterManifest.Text(mapping, "path", where) ?? throw CommandFailure.Usage($"{where} has no path, expected a folder or a .onnx file");
        return new ModelManifest(name, ClusterManifest.Text(mapping, "type", where) ?? DefaultType, path, mapping["settings"]);
    }

    /// <summary>Whether a registration says the same, but for replica bounds; settings are compared as JSON.</summary>
    public bool IsAs(ModelInfo info) => Type == info.Type && Path == info.Path && JsonNode.DeepEquals(ReplicaCounts.Without(Settings), ReplicaCounts.Without(KeyOf(info)));

    /// <summary>The bounds that this says and those that a registered model has.</summary>
    public (ReplicaCounts Own, ReplicaCounts Theirs) CountsBeside(ModelEntry there)
    {
        var registered = ReplicaCounts.Of(KeyOf(there.ModelInfo));
        return (ReplicaCounts.Of(Settings), new ReplicaCounts(there.HasMinCopies ? (int)there.MinCopies : registered.Least, there.HasMaxCopies ? (int)there.MaxCopies : registered.Most));
    }

    /// <summary>Whether a registration by itself says the same bounds.</summary>
    public bool HasCountsOf(ModelInfo info) => ReplicaCounts.Of(Settings) == ReplicaCounts.Of(KeyOf(info));

    private static JsonObject? KeyOf(ModelInfo info) => info.Key.Length == 0 ? null : Fields.TryParse(info.Key);
}

/// <param name="Traffic">Null where the file says nothing of a rule, and leaves one alone that there is.</param>
internal sealed record AliasManifest(string Name, string Target, string Owner, TrafficManifest? Traffic = null)
{
    public static AliasManifest Of(string name, JsonNode? node, string where)
    {
        switch (node)
        {
            case JsonValue value when value.TryGetValue<string>(out var target):
                return new AliasManifest(name, target, "");
            case JsonObject mapping:
                ClusterManifest.Only(mapping, ["model", "owner", "traffic"], where);
                return new AliasManifest(
                    name, ClusterManifest.Text(mapping, "model", where) ?? throw CommandFailure.Usage($"{where} has no model, expected a name"), ClusterManifest.Text(mapping, "owner", where) ?? "",
                    TrafficManifest.Of(mapping["traffic"], where));
            default:
                throw CommandFailure.Usage($"{where} leads to no model, expected a name, or model, owner and traffic");
        }
    }
}

/// <summary>The replica bounds of a model's settings, with defaults for missing ones.</summary>
/// <param name="Least">At least 1.</param>
/// <param name="Most">0 for as many as there are silos.</param>
internal sealed record ReplicaCounts(int Least, int Most)
{
    private const string LeastKey = "min_copies";
    private const string MostKey = "max_copies";

    /// <param name="settings">Of a model.json; null for none.</param>
    public static ReplicaCounts Of(JsonNode? settings) => new((int)(settings.Number(LeastKey) ?? 1), (int)(settings.Number(MostKey) ?? 0));

    /// <summary>Settings without their bounds.</summary>
    public static JsonNode? Without(JsonNode? settings)
    {
        var rest = settings?.DeepClone() as JsonObject;
        rest?.Remove(LeastKey);
        rest?.Remove(MostKey);
        return rest;
    }

    /// <summary>As <c>2 to 4 replicas</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Least} to {(Most == 0 ? "all silos'" : Most)} replicas");
}
