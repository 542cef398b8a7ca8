using System.Collections.Frozen;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Objects;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>Reads one model's part of config.json.</summary>
internal sealed class OvmsModelReader
{
    private static readonly FrozenDictionary<string, Action<OvmsModelReader, JsonMember, JsonErrors>> Keys =
        new Dictionary<string, Action<OvmsModelReader, JsonMember, JsonErrors>>
        {
            ["name"] = (reader, member, errors) => reader.ReadName(member, errors),
            ["base_path"] = (reader, member, errors) => reader._basePath = JsonExpect.String(member, errors),
            ["model_version_policy"] = (reader, member, errors) =>
                reader._policy = VersionPolicyReader.Read(member, errors) ?? reader._policy,
            ["nireq"] = (reader, member, errors) => reader.ReadRequests(member, errors),
            ["batch_size"] = (reader, member, errors) => reader.ReadBatchSize(member, errors),
            ["shape"] = (reader, member, errors) => reader._shapes.Read(member, errors),
            ["layout"] = (reader, member, errors) => reader.ReadLayout(member, errors),
            ["target_device"] = (reader, member, errors) => reader.ReadDevice(member, errors),
            ["plugin_config"] = (reader, member, errors) => reader._plugin.Read(member, errors),
            ["allow_cache"] = (reader, member, errors) => reader.ReadAllowCache(member, errors),
            ["custom_loader_options"] = (reader, member, _) => reader.Refuse(member),
            ["graph_path"] = (reader, member, _) => reader.Refuse(member),
            ["subconfig"] = (reader, member, _) => reader.Refuse(member),
        }.ToFrozenDictionary();

    private static readonly string[] RemotePrefixes = ["s3://", "gs://", "az://", "azfs://", "http://", "https://"];

    private readonly List<string> _warnings;
    private readonly List<string> _problems = [];
    private readonly OvmsShapes _shapes;
    private readonly OvmsPluginConfig _plugin;
    private string? _name;
    private string? _basePath;
    private VersionPolicy _policy = VersionPolicy.LatestOne;
    private ExecutionProvider _provider = ExecutionProvider.Cpu;
    private string _device = ProviderSettings.Default.Device;
    private bool _cache;
    private int _requests;
    private DimensionRange? _batchSize;

    private OvmsModelReader(List<string> warnings)
    {
        _warnings = warnings;
        _shapes = new OvmsShapes(warnings, _problems);
        _plugin = new OvmsPluginConfig(warnings, _problems);
    }

    /// <param name="config">The member 'config'.</param>
    /// <param name="folder">Where relative base paths start.</param>
    /// <param name="warnings">Gets a text for each ignored or adapted key.</param>
    /// <param name="errors">Gets what makes the whole file invalid.</param>
    /// <returns>Null after an error that makes the whole file invalid.</returns>
    public static ConfiguredModel? Read(JsonMember config, string folder, List<string> warnings, JsonErrors errors)
    {
        var reader = new OvmsModelReader(warnings);
        JsonExpect.Object(config.Path, config.Value, Keys, reader, errors);
        if (config.Value.Kind == JsonValueKind.Object && config.Value.Members.All(member => member.Name != "name"))
        {
            errors.Add(config.Line, $"'{config.Path}' lacks 'name'");
        }

        return reader._name is { } name ? reader.Finish(name, folder) : null;
    }

    private ConfiguredModel Finish(string name, string folder)
    {
        var path = ResolveBasePath(folder);
        if (_batchSize is not null && _shapes.HasAny)
        {
            _warnings.Add("'batch_size' has no effect beside 'shape'");
            _batchSize = null;
        }

        var settings = _plugin.ApplyTo(new ModelSettings
        {
            ExecutionProvider = _provider,
            Concurrency = _requests,
            BatchSize = _batchSize,
            InputShapes = _shapes.ToInputShapes(),
            ProviderOptions = new ProviderSettings { Device = _device, Cache = _cache },
        });
        var problem = _problems.Count > 0 ? $"configuration file: {string.Join("; ", _problems)}" : null;
        return new ConfiguredModel(name, path, ModelDefinition.Of(_policy, settings, problem));
    }

    /// <summary>The absolute path, or an address of object storage; empty with a problem.</summary>
    private string ResolveBasePath(string folder)
    {
        var problem = _basePath switch
        {
            null or "" => "'base_path' is missing",
            _ when _basePath.Any(char.IsControl) => "'base_path' has a control character",
            _ when ObjectAddress.IsAddress(_basePath) => ObjectAddress.Parse(_basePath) is { Key.Length: > 0 } ? null : $"'base_path' is \"{_basePath}\", expected {ObjectAddress.Form}",
            _ when RemotePrefixes.Any(prefix => _basePath.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) =>
                $"'base_path' is \"{_basePath}\": only folders and files of this machine and addresses of s3:// are supported; mount the storage",
            _ when RealPath.HasParentSegment(_basePath) => $"'base_path' is \"{_basePath}\": '..' is not allowed",
            _ => null,
        };
        if (problem is null)
        {
            return ObjectAddress.IsAddress(_basePath) ? ObjectAddress.Parse(_basePath!)!.ToString() : Path.Combine(folder, _basePath!);
        }

        _problems.Add(problem);
        return "";
    }

    private void ReadName(JsonMember member, JsonErrors errors)
    {
        if (JsonExpect.String(member, errors) is not { } name)
        {
            return;
        }

        if (ModelName.ProblemOf(name) is { } problem)
        {
            errors.Add(member.Line, problem);
            return;
        }

        _name = name;
    }

    private void ReadRequests(JsonMember member, JsonErrors errors)
    {
        if (JsonExpect.Integer(member.Path, member.Value, 0, long.MaxValue, errors) is not { } requests)
        {
            return;
        }

        if (requests > ModelSettingsReader.MaxConcurrency)
        {
            _warnings.Add($"'nireq' is {requests}; {ModelSettingsReader.MaxConcurrency} requests at once are the most");
        }

        _requests = (int)Math.Min(requests, ModelSettingsReader.MaxConcurrency);
    }

    private void ReadBatchSize(JsonMember member, JsonErrors errors)
    {
        if (member.Value is { Kind: JsonValueKind.Number, Text: "0" } or { Kind: JsonValueKind.String, Text: "0" })
        {
            return;
        }

        if (member.Value is { Kind: JsonValueKind.String, Text: "auto" })
        {
            _warnings.Add("'batch_size' is \"auto\": taken as no limit");
            return;
        }

        if (member.Value.Kind is not (JsonValueKind.Number or JsonValueKind.String))
        {
            errors.Expected(member, "an integer or a string");
        }
        else if (DimensionText.TryParse(member.Value.Text, 1, out var range))
        {
            _batchSize = range == DimensionRange.Any ? null : range;
        }
        else
        {
            _problems.Add($"'batch_size' is {member.Value.Found}; expected a positive integer, a range such as \"1:8\", -1 or \"auto\"");
        }
    }

    private void ReadLayout(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind == JsonValueKind.Object)
        {
            foreach (var input in member.Value.Members)
            {
                JsonExpect.String(input, errors);
            }
        }
        else
        {
            JsonExpect.String(member, errors, "a string or an object of strings");
        }

        _warnings.Add("'layout' has no effect: inputs are taken in the graph's own layout");
    }

    private void ReadDevice(JsonMember member, JsonErrors errors)
    {
        switch (JsonExpect.String(member, errors)?.ToUpperInvariant())
        {
            case null:
                break;
            case "CPU":
            case "AUTO":
                _provider = ExecutionProvider.Auto;
                break;
            case var device when ProviderOptionsReader.IsDevice(device):
                (_provider, _device) = (ExecutionProvider.OpenVino, device);
                break;
            default:
                _problems.Add($"'target_device' is {member.Value.Found}; supported are \"CPU\", \"GPU\", \"GPU.n\", \"NPU\", \"AUTO\", and \"AUTO:\" with a list of devices");
                break;
        }
    }

    private void ReadAllowCache(JsonMember member, JsonErrors errors)
    {
        _cache = JsonExpect.Boolean(member, errors) ?? false;
    }

    private void Refuse(JsonMember member) => _problems.Add($"'{member.Name}' is not supported: this server runs ONNX models only");
}
