using System.Text.Json;
using System.Text.Json.Nodes;
using Cluster.Cli.Documents;
using Cluster.Contracts.Protocol.Mesh;
using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using ModelStatus = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Cli.Manifests;

internal enum ChangeKind
{
    Add,
    Change,
    Remove,

    /// <summary>What the manifest says is there already, and has failed to load or is not waited for.</summary>
    Retry,
}

/// <summary>A step from the present state to that of a manifest.</summary>
/// <param name="Model">Of a model that is to be registered.</param>
/// <param name="Alias">Of an alias that is to be set.</param>
/// <param name="Traffic">Of a rule that is to be set.</param>
/// <param name="Before">Of a model that is to have other content.</param>
/// <param name="Counts">Of a model that is to have other replica bounds; null for those of its registration.</param>
internal sealed record ManifestChange(
    ChangeKind Kind, string What, string Name, string From, string To, ModelManifest? Model = null, AliasManifest? Alias = null, TrafficManifest? Traffic = null, ModelEntry? Before = null,
    ReplicaCounts? Counts = null)
{
    public const string OfModel = "model";
    public const string OfReplicas = "replicas";
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
    /// <param name="prune">Whether what the manifest does not name goes. What an alias moves from goes only once it has moved, so moves under way are steps then.</param>
    /// <param name="wait">Whether loads and moves under way are steps, as they are waited for.</param>
    /// <exception cref="CommandFailure">The manifest cannot be had; each reason is a line.</exception>
    public static List<ManifestChange> Of(ClusterManifest manifest, IReadOnlyList<ModelEntry> models, IReadOnlyList<VModelEntry> aliases, Dictionary<string, JsonNode> traffic, bool prune, bool wait)
    {
        var known = models.ToDictionary(static model => model.ModelId, StringComparer.Ordinal);
        var there = aliases.ToDictionary(static alias => alias.VModelId, static alias => alias.Status, StringComparer.Ordinal);
        List<string> mistakes =
        [
            .. manifest.Models.Select(model => Mistake(model, known.GetValueOrDefault(model.Name))).OfType<string>(),
            .. manifest.Aliases.Select(alias => Mistake(alias, there.GetValueOrDefault(alias.Name))).OfType<string>(),
        ];
        if (mistakes.Count > 0)
        {
            throw CommandFailure.Failed(string.Join("; ", mistakes));
        }

        IEnumerable<ManifestChange> changes =
        [
            .. manifest.Models.Select(model => Register(model, known.GetValueOrDefault(model.Name), wait)).OfType<ManifestChange>(),
            .. manifest.Models.Select(model => Scale(model, known.GetValueOrDefault(model.Name))).OfType<ManifestChange>(),
            .. manifest.Aliases.Select(alias => Move(alias, there.GetValueOrDefault(alias.Name), wait || prune)).OfType<ManifestChange>(),
            .. manifest.Aliases.Select(alias => Rule(alias, there.GetValueOrDefault(alias.Name)?.TargetModelId, traffic.GetValueOrDefault(alias.Name), prune, wait)).OfType<ManifestChange>(),
        ];
        return prune ? [.. changes, .. Pruned(manifest, models, aliases)] : [.. changes];
    }

    /// <summary>As <c>onnx es/2025-02 {"max_copies":2}</c>.</summary>
    public static string Words(ModelInfo info) => $"{info.Type} {info.Path}{(info.Key.Length > 0 ? " " + info.Key : "")}";

    private static string? Mistake(ModelManifest model, ModelEntry? there) => there switch
    {
        null => null,
        { Origin: ModelEntry.Types.Origin.Repository } => $"model '{model.Name}' is the repository's, and cannot be registered; expected another name",
        _ when model.IsAs(there.ModelInfo) || there.VModelIds.Count == 0 => null,
        _ => $"model '{model.Name}' is registered with other content, and alias '{there.VModelIds[0]}' leads to it; expected the new content under a new name, and the alias moved",
    };

    private static string? Mistake(AliasManifest alias, VModelStatusInfo? there) => there switch
    {
        null => null,
        { TargetModelId: "" } => $"alias '{alias.Name}' leads to a model that this client may not see; expected the right to read that model",
        _ when alias.Owner.Length > 0 && alias.Owner != there.Owner => $"alias '{alias.Name}' has the owner '{there.Owner}', expected '{alias.Owner}'; a new alias alone is given an owner",
        _ => null,
    };

    private static ManifestChange? Register(ModelManifest model, ModelEntry? there, bool wait)
    {
        var to = Words(model.Info);
        return there switch
        {
            null => new ManifestChange(ChangeKind.Add, ManifestChange.OfModel, model.Name, "", to, model),
            _ when !model.IsAs(there.ModelInfo) => new ManifestChange(ChangeKind.Change, ManifestChange.OfModel, model.Name, Words(there.ModelInfo), to, model, Before: there),
            { Status.Status: ModelStatus.LoadingFailed } => new ManifestChange(ChangeKind.Retry, ManifestChange.OfModel, model.Name, to, to, model),
            { Status.Status: ModelStatus.Loading } when wait => new ManifestChange(ChangeKind.Retry, ManifestChange.OfModel, model.Name, to, to, model),
            _ => null,
        };
    }

    /// <summary>Only for a model that stays registered as it is. A model that is registered again gets its bounds with its settings.</summary>
    private static ManifestChange? Scale(ModelManifest model, ModelEntry? there)
    {
        if (there is null || !model.IsAs(there.ModelInfo))
        {
            return null;
        }

        var (own, theirs) = model.CountsBeside(there);
        return own == theirs
            ? null
            : new ManifestChange(ChangeKind.Change, ManifestChange.OfReplicas, model.Name, theirs.ToString(), own.ToString(), Counts: model.HasCountsOf(there.ModelInfo) ? null : own);
    }

    private static ManifestChange? Move(AliasManifest alias, VModelStatusInfo? there, bool wait) => there switch
    {
        null => new ManifestChange(ChangeKind.Add, ManifestChange.OfAlias, alias.Name, "", alias.Target, Alias: alias),
        _ when there.TargetModelId != alias.Target => new ManifestChange(ChangeKind.Change, ManifestChange.OfAlias, alias.Name, there.TargetModelId, alias.Target, Alias: alias),
        { Status: AliasStatus.TransitionFailed } => new ManifestChange(ChangeKind.Retry, ManifestChange.OfAlias, alias.Name, there.ActiveModelId, alias.Target, Alias: alias),
        { Status: AliasStatus.Transitioning } when wait => new ManifestChange(ChangeKind.Retry, ManifestChange.OfAlias, alias.Name, there.ActiveModelId, alias.Target, Alias: alias),
        _ => null,
    };

    /// <summary>A rule that was rolled back stays so until the file says another one. What an alias is moved from has its rule no more.</summary>
    private static ManifestChange? Rule(AliasManifest alias, string? target, JsonNode? traffic, bool prune, bool wait)
    {
        var there = target == alias.Target ? traffic : null;
        var from = there is null ? "" : TrafficManifest.Words(there["rule"]);
        return (alias.Traffic, there) switch
        {
            (null, null) => null,
            (null, _) => prune ? new ManifestChange(ChangeKind.Remove, ManifestChange.OfTraffic, alias.Name, from, "") : null,
            ({ } rule, null) => new ManifestChange(ChangeKind.Add, ManifestChange.OfTraffic, alias.Name, from, rule.ToString(), Traffic: rule),
            ({ } rule, _) when !rule.IsAs(there["rule"]!) => new ManifestChange(ChangeKind.Change, ManifestChange.OfTraffic, alias.Name, from, rule.ToString(), Traffic: rule),
            ({ } rule, _) when IsUnloaded(there, wait) => new ManifestChange(ChangeKind.Retry, ManifestChange.OfTraffic, alias.Name, from, rule.ToString(), Traffic: rule),
            _ => null,
        };
    }

    /// <summary>Whether a rule's candidate has failed to load, or is to be waited for.</summary>
    private static bool IsUnloaded(JsonNode traffic, bool wait) => traffic.Text("state") is var state && (state == "load_failed" || (wait && state == "loading"));

    private static IEnumerable<ManifestChange> Pruned(ClusterManifest manifest, IEnumerable<ModelEntry> models, IEnumerable<VModelEntry> aliases)
    {
        foreach (var alias in aliases.Where(alias => !manifest.Aliases.Any(named => named.Name == alias.VModelId)))
        {
            yield return new ManifestChange(ChangeKind.Remove, ManifestChange.OfAlias, alias.VModelId, alias.Status.TargetModelId, "");
        }

        foreach (var model in models.Where(model => model.Origin == ModelEntry.Types.Origin.Registered && !Names(manifest, model.ModelId)))
        {
            yield return new ManifestChange(ChangeKind.Remove, ManifestChange.OfModel, model.ModelId, Words(model.ModelInfo), "");
        }
    }

    /// <summary>Whether the manifest has the model, or leads an alias or its share to it.</summary>
    private static bool Names(ClusterManifest manifest, string model) =>
        manifest.Models.Any(named => named.Name == model) || manifest.Aliases.Any(alias => alias.Target == model || alias.Traffic?.Rule.Text("candidate") == model);
}
