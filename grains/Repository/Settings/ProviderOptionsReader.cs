using System.Collections.Frozen;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Reads <c>provider_options</c> of model.json: a closed list, so that a mistake is found here and not by OpenVINO, which names none.</summary>
internal sealed partial class ProviderOptionsReader
{
    public const int MaxStreams = 1024;
    public const int MaxThreads = 1024;

    /// <summary>OpenVINO's property for what <c>cache</c> is here.</summary>
    public const string CacheFolder = "CACHE_DIR";

    private const string ExpectedConfig = "an object of objects by device, such as {\"CPU\": {\"SCHEDULING_CORE_TYPE\": \"PCORE_ONLY\"}}, with strings, numbers, true or false";

    private static readonly FrozenDictionary<string, ExecutionPrecision> Precisions = new Dictionary<string, ExecutionPrecision>
    {
        ["f32"] = ExecutionPrecision.F32,
        ["bf16"] = ExecutionPrecision.Bf16,
        ["f16"] = ExecutionPrecision.F16,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<ProviderOptionsReader, JsonMember, JsonErrors>> Readers =
        new Dictionary<string, Action<ProviderOptionsReader, JsonMember, JsonErrors>>
        {
            ["device"] = (reader, member, errors) => reader.ReadDevice(member, errors),
            ["streams"] = (reader, member, errors) => reader._options = reader._options with { Streams = JsonExpect.Integer(member, 0, MaxStreams, errors) ?? 0 },
            ["threads"] = (reader, member, errors) => reader._options = reader._options with { Threads = JsonExpect.Integer(member, 0, MaxThreads, errors) ?? 0 },
            ["precision"] = (reader, member, errors) => reader._options = reader._options with { Precision = JsonExpect.Choice(member, Precisions, errors) ?? default },
            ["cache"] = (reader, member, errors) => reader._options = reader._options with { Cache = JsonExpect.Boolean(member, errors) ?? false },
            ["config"] = (reader, member, errors) => reader._options = reader._options with { Config = ReadConfig(member, errors) },
            ["allow_cpu_nodes"] = (reader, member, errors) => reader._options = reader._options with { AllowCpuNodes = JsonExpect.Boolean(member, errors) ?? false },
        }.ToFrozenDictionary();

    private ProviderSettings _options = ProviderSettings.Default;

    /// <summary>Every key that there may be.</summary>
    public static IEnumerable<string> Keys => Readers.Keys;

    public static ProviderSettings Read(JsonMember member, JsonErrors errors)
    {
        var reader = new ProviderOptionsReader();
        JsonExpect.Object(member.Path, member.Value, Readers, reader, errors);
        return reader._options;
    }

    /// <summary>Whether it is a device's name as OpenVINO has them.</summary>
    public static bool IsDevice(string text) => Device().IsMatch(text);

    private void ReadDevice(JsonMember member, JsonErrors errors)
    {
        const string Expected = "\"CPU\", \"GPU\", \"GPU.n\", \"NPU\" or \"AUTO:\" and a list of those";
        if (JsonExpect.String(member, errors, Expected) is not { } device)
        {
            return;
        }

        if (IsDevice(device))
        {
            _options = _options with { Device = device };
        }
        else
        {
            errors.Expected(member, Expected);
        }
    }

    /// <summary>The object as text in one form, without its white space.</summary>
    private static string ReadConfig(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind != JsonValueKind.Object)
        {
            errors.Expected(member, ExpectedConfig);
            return "";
        }

        foreach (var device in member.Value.Members)
        {
            if (device.Value.Kind != JsonValueKind.Object || !IsDevice(device.Name.Replace("AUTO", "CPU", StringComparison.Ordinal)))
            {
                errors.Expected(device, ExpectedConfig);
                return "";
            }

            foreach (var property in device.Value.Members)
            {
                if (property.Value.Kind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null)
                {
                    errors.Expected(property, "a string, a number, true or false");
                    return "";
                }

                if (property.Name == CacheFolder)
                {
                    // It would have the silo write wherever a model says.
                    errors.Add(property.Line, $"'{property.Path}' is not allowed; expected \"cache\": true in 'provider_options', which keeps compiled graphs in the silo's own folder");
                    return "";
                }
            }
        }

        return member.Value.Members.IsEmpty ? "" : member.Value.ToJson();
    }

    [GeneratedRegex(@"^(CPU|GPU(\.\d{1,3})?|NPU|AUTO:(CPU|GPU(\.\d{1,3})?|NPU)(,(CPU|GPU(\.\d{1,3})?|NPU))*)$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Device();
}
