using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Contracts.Protocol.Mesh;

namespace Cluster.Cli.Manifests;

internal enum ChangeKind
{
    Add,
    Change,
    Remove,
}

/// <summary>A step from what there is to what a manifest says.</summary>
/// <param name="Model">Of a model that is to be registered.</param>
/// <param name="Alias">Of an alias that is to be set.</param>
/// <param name="Traffic">Of a rule that is to be set.</param>
internal sealed record Change(ChangeKind Kind, string What, string Name, string From, string To, ModelManifest? Model = null, AliasManifest? Alias = null, TrafficManifest? Traffic = null)
{
    public const string OfModel = "model";
    public const string OfAlias = "alias";
    public const string OfTraffic = "traffic";

    public JsonNode ToJson() => new JsonObject
    {
        ["change"] = JsonNamingPolicy.SnakeCaseLower.ConvertName($"{Kind}"),
        ["what"] = What,
        ["name"] = Name,
        ["from"] = From,
        ["to"] = To,
    };
}

/// <summary>The steps, in an order in which each can be taken: models come before the aliases that need them, and go after those.</summary>
internal static class ManifestPlan
{
    /// <param name="traffic">The rules of aliases by their names, with their states.</param>
    /// <param name="prune">Whether what the manifest does not name goes.</param>
    /// <exception cref="CommandFailure">The manifest cannot be had; each reason is a line.</exception>
    public static List<Change> Of(Manifest manifest, IReadOnlyList<ModelEntry> models, IReadOnlyList<VModelEntry> aliases, Dictionary<string, JsonNode> traffic, bool prune)
    {
        var known = models.ToDictionary(static model => model.ModelId, StringComparer.Ordinal);
        var mistakes = manifest.Models.Select(model => Mistake(model, known.GetValueOrDefault(model.Name))).OfType<string>().ToList();
        if (mistakes.Count > 0)
        {
            throw CommandFailure.Failed(string.Join("; ", mistakes));
        }

        var targets = aliases.ToDictionary(static alias => alias.VModelId, static alias => alias.Status.TargetModelId, StringComparer.Ordinal);
        IEnumerable<Change> changes =
        [
            .. manifest.Models.Select(model => Register(model, known.GetValueOrDefault(model.Name))).OfType<Change>(),
            .. manifest.Aliases.Select(alias => Move(alias, targets.GetValueOrDefault(alias.Name))).OfType<Change>(),
            .. manifest.Aliases.Select(alias => Rule(alias, targets.GetValueOrDefault(alias.Name), traffic.GetValueOrDefault(alias.Name), prune)).OfType<Change>(),
        ];
        return prune ? [.. changes, .. Pruned(manifest, models, aliases)] : [.. changes];
    }

    private static string? Mistake(ModelManifest model, ModelEntry? there) => there switch
    {
        null => null,
        { Origin: ModelEntry.Types.Origin.Repository } => $"model '{model.Name}' is the repository's, and cannot be registered; expected another name",
        _ when model.IsAs(there.ModelInfo) || there.VModelIds.Count == 0 => null,
        _ => $"model '{model.Name}' is registered with other content, and alias '{there.VModelIds[0]}' leads to it; expected the new content under a new name, and the alias moved",
    };

    private static Change? Register(ModelManifest model, ModelEntry? there) => there switch
    {
        null => new Change(ChangeKind.Add, Change.OfModel, model.Name, "", Words(model.Info), model),
        _ when model.IsAs(there.ModelInfo) => null,
        _ => new Change(ChangeKind.Change, Change.OfModel, model.Name, Words(there.ModelInfo), Words(model.Info), model),
    };

    private static Change? Move(AliasManifest alias, string? target) => target switch
    {
        null => new Change(ChangeKind.Add, Change.OfAlias, alias.Name, "", alias.Target, Alias: alias),
        _ when target == alias.Target => null,
        _ => new Change(ChangeKind.Change, Change.OfAlias, alias.Name, target, alias.Target, Alias: alias),
    };

    /// <summary>A rule that was rolled back stays so until the file says another one. What an alias is moved from has its rule no more.</summary>
    private static Change? Rule(AliasManifest alias, string? target, JsonNode? traffic, bool prune)
    {
        var there = target == alias.Target ? traffic : null;
        var from = there is null ? "" : TrafficManifest.Words(there["rule"]);
        return (alias.Traffic, there) switch
        {
            (null, null) => null,
            (null, _) => prune ? new Change(ChangeKind.Remove, Change.OfTraffic, alias.Name, from, "") : null,
            ({ } rule, null) => new Change(ChangeKind.Add, Change.OfTraffic, alias.Name, from, rule.ToString(), Traffic: rule),
            ({ } rule, _) => rule.IsAs(there["rule"]!) ? null : new Change(ChangeKind.Change, Change.OfTraffic, alias.Name, from, rule.ToString(), Traffic: rule),
        };
    }

    private static IEnumerable<Change> Pruned(Manifest manifest, IEnumerable<ModelEntry> models, IEnumerable<VModelEntry> aliases)
    {
        foreach (var alias in aliases.Where(alias => !manifest.Aliases.Any(named => named.Name == alias.VModelId)))
        {
            yield return new Change(ChangeKind.Remove, Change.OfAlias, alias.VModelId, alias.Status.TargetModelId, "");
        }

        foreach (var model in models.Where(model => model.Origin == ModelEntry.Types.Origin.Registered && !manifest.Models.Any(named => named.Name == model.ModelId)))
        {
            yield return new Change(ChangeKind.Remove, Change.OfModel, model.ModelId, Words(model.ModelInfo), "");
        }
    }

    private static string Words(ModelInfo info) => $"{info.Type} {info.Path}{(info.Key.Length > 0 ? " " + info.Key : "")}";
}
