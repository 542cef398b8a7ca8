using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>
/// Reads OpenVINO Model Server's config.json. As there, an unknown key or a wrong type anywhere makes the whole file invalid. A value that one model cannot have is
/// that model's problem alone.
/// </summary>
internal sealed class OvmsConfigReader
{
    private static readonly FrozenDictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>> MetricsKeys =
        new Dictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>>
        {
            ["enable"] = (reader, member, errors) => reader.ReadMetricsEnable(member, errors),
            ["metrics_list"] = (reader, member, errors) => reader.ReadMetricsList(member, errors),
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>> MonitoringKeys =
        new Dictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>>
        {
            ["metrics"] = (reader, member, errors) => JsonExpect.Object(member.Path, member.Value, MetricsKeys, reader, errors),
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>> EntryKeys =
        new Dictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>>
        {
            ["config"] = (reader, member, errors) => reader.ReadModel(member, errors),
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>> TopKeys =
        new Dictionary<string, Action<OvmsConfigReader, JsonMember, JsonErrors>>
        {
            ["model_config_list"] = (reader, member, errors) => reader.ReadModels(member, errors),
            ["monitoring"] = (reader, member, errors) => JsonExpect.Object(member.Path, member.Value, MonitoringKeys, reader, errors),
            ["pipeline_config_list"] = RequireEmpty("pipelines"),
            ["mediapipe_config_list"] = RequireEmpty("MediaPipe graphs"),
            ["custom_loader_config_list"] = RequireEmpty("custom loaders"),
            ["custom_node_library_config_list"] = RequireEmpty("custom node libraries"),
        }.ToFrozenDictionary();

    private readonly string _folder;
    private readonly Dictionary<string, ConfiguredModel> _models = new(StringComparer.Ordinal);
    private readonly List<ConfiguredModel> _ordered = [];
    private readonly List<string> _warnings = [];

    private OvmsConfigReader(string folder) => _folder = folder;

    /// <param name="text">The file.</param>
    /// <param name="folder">The file's folder, absolute: relative base paths start there.</param>
    /// <param name="errors">Gets everything that is wrong.</param>
    /// <returns>Null after an error.</returns>
    public static OvmsConfiguration? Read(ReadOnlySpan<byte> text, string folder, JsonErrors errors)
    {
        if (JsonTree.Parse(text, errors) is not { } top)
        {
            return null;
        }

        var reader = new OvmsConfigReader(folder);
        JsonExpect.Object("the file", top, TopKeys, reader, errors);
        if (top.Kind == JsonValueKind.Object && top.Members.All(member => member.Name != "model_config_list"))
        {
            errors.Add(top.Line, "'model_config_list' is missing");
        }

        return errors.Any ? null : new OvmsConfiguration([.. reader._ordered], [.. reader._warnings]);
    }

    private static Action<OvmsConfigReader, JsonMember, JsonErrors> RequireEmpty(string what) => (_, member, errors) =>
    {
        if (!JsonExpect.Array(member, errors).IsEmpty)
        {
            errors.Add(member.Line, $"'{member.Path}' is not supported: this server runs ONNX models and no {what}; remove it or leave it empty");
        }
    };

    private void ReadModels(JsonMember member, JsonErrors errors)
    {
        foreach (var (entry, index) in JsonExpect.Array(member, errors).Select((entry, index) => (entry, index)))
        {
            var path = $"{member.Path}[{index}]";
            JsonExpect.Object(path, entry, EntryKeys, this, errors);
            if (entry.Kind == JsonValueKind.Object && entry.Members.All(each => each.Name != "config"))
            {
                errors.Add(entry.Line, $"'{path}' lacks 'config'");
            }
        }
    }

    private void ReadModel(JsonMember member, JsonErrors errors)
    {
        var warnings = new List<string>();
        if (OvmsModelReader.Read(member, _folder, warnings, errors) is not { } model)
        {
            return;
        }

        if (_models.TryAdd(model.Name, model))
        {
            _ordered.Add(model);
            _warnings.AddRange(warnings.Select(warning => $"configuration file: model '{model.Name}': {warning}"));
        }
        else
        {
            _warnings.Add($"configuration file: line {member.Line}: a model '{model.Name}' is named before; this one is ignored");
        }
    }

    private void ReadMetricsEnable(JsonMember member, JsonErrors errors)
    {
        if (JsonExpect.Boolean(member, errors) is false)
        {
            _warnings.Add($"configuration file: '{member.Path}' is false, but metrics are always on");
        }
    }

    private void ReadMetricsList(JsonMember member, JsonErrors errors)
    {
        var names = JsonExpect.Array(member, errors);
        foreach (var (name, index) in names.Select((name, index) => (name, index)).Where(each => each.name.Kind != JsonValueKind.String))
        {
            errors.Expected($"{member.Path}[{index}]", name, "the name of a metric");
        }

        if (!names.IsEmpty)
        {
            _warnings.Add($"configuration file: '{member.Path}' has no effect: every metric is always there");
        }
    }
}

/// <summary>A valid configuration file. Names are unique.</summary>
internal sealed record OvmsConfiguration(ImmutableArray<ConfiguredModel> Models, ImmutableArray<string> Warnings);

/// <summary>One entry of the configuration file.</summary>
/// <param name="Name">Valid.</param>
/// <param name="BasePath">Absolute, or an address of object storage; empty if the definition has a problem that leaves no path to look at.</param>
/// <param name="Definition">What the other keys say.</param>
internal sealed record ConfiguredModel(string Name, string BasePath, ModelDefinition Definition);
