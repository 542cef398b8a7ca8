using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Files;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Reads model.json.</summary>
internal sealed class ModelSettingsReader
{
    public const int MaxConcurrency = 1024;
    public const int MaxQueueLimit = 1_000_000;
    public const int MaxThreads = 1024;
    public const int MaxCopies = 1000;
    public const int MaxBatchSize = int.MaxValue;

    public const int MaxPriorityLevels = 32;

    /// <summary>An hour, in milliseconds.</summary>
    public const int MaxQueueDelay = 3_600_000;

    /// <summary>A tebibyte.</summary>
    public const int MaxRunMemory = 1 << 20;

    private static readonly FrozenDictionary<string, ExecutionProvider> ExecutionProviders = new Dictionary<string, ExecutionProvider>
    {
        ["cpu"] = ExecutionProvider.Cpu,
        ["openvino"] = ExecutionProvider.OpenVino,
        ["auto"] = ExecutionProvider.Auto,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, GraphOptimization> GraphOptimizations = new Dictionary<string, GraphOptimization>
    {
        ["disable"] = GraphOptimization.Disable,
        ["basic"] = GraphOptimization.Basic,
        ["extended"] = GraphOptimization.Extended,
        ["all"] = GraphOptimization.All,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, PerformanceHint> PerformanceHints = new Dictionary<string, PerformanceHint>
    {
        ["auto"] = PerformanceHint.Auto,
        ["throughput"] = PerformanceHint.Throughput,
        ["latency"] = PerformanceHint.Latency,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, ImageFormat> ImageFormats = new Dictionary<string, ImageFormat>
    {
        ["none"] = ImageFormat.None,
        ["nhwc"] = ImageFormat.Nhwc,
        ["nchw"] = ImageFormat.Nchw,
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<ModelSettingsReader, JsonMember, JsonErrors>> Readers =
        new Dictionary<string, Action<ModelSettingsReader, JsonMember, JsonErrors>>
        {
            // For editors, which find the schema by it.
            ["$schema"] = (_, member, errors) => JsonExpect.String(member, errors),
            ["version_policy"] = (reader, member, errors) => reader._policy = VersionPolicyReader.Read(member, errors) ?? reader._policy,
            ["execution_provider"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Choice(member, ExecutionProviders, errors), (settings, value) => settings with { ExecutionProvider = value }),
            ["provider_options"] = (reader, member, errors) =>
                reader._settings = reader._settings with { ProviderOptions = ProviderOptionsReader.Read(member, errors) },
            ["concurrency"] = ReadConcurrency,
            ["queue_limit"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 0, MaxQueueLimit, errors), (settings, value) => settings with { QueueLimit = value }),
            ["queue_mib"] = (reader, member, errors) => reader.Set(
                JsonExpect.Integer(member, 0, MaxRunMemory, errors),
                (settings, value) => settings with { QueueBytes = value == 0 ? long.MaxValue : (long)value << 20 }),
            ["intra_op_threads"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 0, MaxThreads, errors), (settings, value) => settings with { IntraOpThreads = value }),
            ["run_memory_mib"] = (reader, member, errors) => reader.Set(
                JsonExpect.Integer(member, 0, MaxRunMemory, errors),
                (settings, value) => settings with { MaxRunBytes = value == 0 ? long.MaxValue : (long)value << 20 }),
            ["graph_optimization"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Choice(member, GraphOptimizations, errors), (settings, value) => settings with { GraphOptimization = value }),
            ["performance_hint"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Choice(member, PerformanceHints, errors), (settings, value) => settings with { PerformanceHint = value }),
            ["batching"] = (reader, member, errors) => reader._settings = reader._settings with { Batching = BatchingReader.Read(member, errors) },
            ["priority_levels"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 0, MaxPriorityLevels, errors), (settings, value) => settings with { PriorityLevels = value }),
            ["default_priority"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 1, MaxPriorityLevels, errors), (settings, value) => settings with { DefaultPriority = value }),
            ["queue_delay_ms"] = (reader, member, errors) => reader.Set(
                JsonExpect.Integer(member, 0, MaxQueueDelay, errors), (settings, value) => settings with { QueueDelay = TimeSpan.FromMilliseconds(value) }),
            ["response_cache_mib"] = (reader, member, errors) => reader.Set(
                JsonExpect.Integer(member, 0, MaxRunMemory, errors), (settings, value) => settings with { ResponseCacheBytes = (long)value << 20 }),
            ["warm_up"] = (reader, member, errors) =>
                reader._settings = reader._settings with { WarmUp = JsonExpect.Boolean(member, errors) ?? true },
            ["batch_size"] = (reader, member, errors) => reader.Set(
                DimensionText.Read(member.Path, member.Value, 1, errors),
                (settings, value) => settings with { BatchSize = value == DimensionRange.Any ? null : value }),
            ["max_batch_size"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 0, MaxBatchSize, errors), (settings, value) => settings with { MaxBatchSize = value }),
            ["format"] = ReadFormat,
            ["input_shapes"] = ReadInputShapes,
            ["labels"] = ReadLabels,
            ["min_copies"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 1, MaxCopies, errors), (settings, value) => settings with { MinCopies = value }),
            ["max_copies"] = (reader, member, errors) =>
                reader.Set(JsonExpect.Integer(member, 0, MaxCopies, errors), (settings, value) => settings with { MaxCopies = value }),
            ["required_labels"] = (reader, member, errors) =>
                reader._settings = reader._settings with { RequiredLabels = ReadSiloLabels(member, errors) },
            ["preferred_labels"] = (reader, member, errors) =>
                reader._settings = reader._settings with { PreferredLabels = ReadSiloLabels(member, errors) },
        }.ToFrozenDictionary();

    private VersionPolicy _policy = VersionPolicy.LatestOne;
    private ModelSettings _settings = ModelSettings.Default;

    /// <summary>Every key that the file may have.</summary>
    public static IEnumerable<string> Keys => Readers.Keys;

    /// <returns>Null after an error.</returns>
    public static ModelDefinition? Read(ReadOnlySpan<byte> text, JsonErrors errors)
    {
        if (JsonTree.Parse(text, errors) is not { } top)
        {
            return null;
        }

        var reader = new ModelSettingsReader();
        JsonExpect.Object("the file", top, Readers, reader, errors);
        if (reader._settings is { MaxCopies: > 0 } settings && settings.MaxCopies < settings.MinCopies)
        {
            errors.Add(top.Members.Last(member => member.Name is "max_copies" or "min_copies").Line, $"'max_copies' is {settings.MaxCopies}, less than 'min_copies', {settings.MinCopies}");
        }

        if (reader._settings.DefaultPriority > reader._settings.PriorityLevels)
        {
            errors.Add(
                top.Members.Last(static member => member.Name is "default_priority" or "priority_levels").Line,
                $"'default_priority' is {reader._settings.DefaultPriority}, more than 'priority_levels', {reader._settings.PriorityLevels}");
        }

        if (reader._settings is { AdaptiveConcurrency: true, Batching.IsOn: true })
        {
            errors.Add(
                top.Members.Last(static member => member.Name is "concurrency" or "batching").Line,
                "'concurrency' is \"adaptive\", which is not possible beside 'batching'; expected one of them");
        }

        if (reader._settings is { MaxBatchSize: > 0, BatchSize: not null })
        {
            errors.Add(
                top.Members.Last(static member => member.Name is "max_batch_size" or "batch_size").Line,
                "'max_batch_size' and 'batch_size' both limit the first dimension; expected one of them");
        }

        return errors.Any ? null : ModelDefinition.Of(reader._policy, WithDefaultPriority(WithBatchLimit(reader._settings)));
    }

    /// <summary>Requests that name no priority run between the others.</summary>
    private static ModelSettings WithDefaultPriority(ModelSettings settings) =>
        settings is { PriorityLevels: > 0, DefaultPriority: 0 } ? settings with { DefaultPriority = (settings.PriorityLevels + 1) / 2 } : settings;

    /// <summary>A largest batch limits requests as a range of batch sizes does.</summary>
    private static ModelSettings WithBatchLimit(ModelSettings settings) =>
        settings.MaxBatchSize > 0 ? settings with { BatchSize = new DimensionRange(1, settings.MaxBatchSize) } : settings;

    private static void ReadConcurrency(ModelSettingsReader reader, JsonMember member, JsonErrors errors)
    {
        if (member.Value is { Kind: JsonValueKind.String, Text: "adaptive" })
        {
            reader._settings = reader._settings with { AdaptiveConcurrency = true };
        }
        else if (member.Value.Kind == JsonValueKind.String)
        {
            errors.Expected(member, $"an integer from 0 to {MaxConcurrency}, or \"adaptive\"");
        }
        else
        {
            reader.Set(JsonExpect.Integer(member, 0, MaxConcurrency, errors), (settings, value) => settings with { Concurrency = value });
        }
    }

    private static void ReadFormat(ModelSettingsReader reader, JsonMember member, JsonErrors errors)
    {
        var formats = ImmutableSortedDictionary.CreateBuilder<string, ImageFormat>(StringComparer.Ordinal);
        foreach (var input in JsonExpect.Members(member, errors))
        {
            if (JsonExpect.Choice(input, ImageFormats, errors) is { } format)
            {
                formats[input.Name] = format;
            }
        }

        reader._settings = reader._settings with { Format = formats.ToImmutable() };
    }

    private static void ReadInputShapes(ModelSettingsReader reader, JsonMember member, JsonErrors errors)
    {
        var shapes = ImmutableSortedDictionary.CreateBuilder<string, ImmutableArray<DimensionRange>>(StringComparer.Ordinal);
        foreach (var input in JsonExpect.Members(member, errors))
        {
            shapes[input.Name] =
            [
                .. JsonExpect.Array(input, errors)
                    .Select((item, index) => DimensionText.Read($"{input.Path}[{index}]", item, 0, errors))
                    .OfType<DimensionRange>(),
            ];
        }

        reader._settings = reader._settings with { InputShapes = shapes.ToImmutable() };
    }

    private static void ReadLabels(ModelSettingsReader reader, JsonMember member, JsonErrors errors)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var output in JsonExpect.Members(member, errors))
        {
            const string Expected = "the name of a file in the version's folder";
            if (JsonExpect.String(output, errors, Expected) is not { } file)
            {
                continue;
            }

            if (IsNameInFolder(file))
            {
                labels[output.Name] = file;
            }
            else
            {
                errors.Expected(output, Expected);
            }
        }

        reader._settings = reader._settings with { Labels = labels.ToImmutable() };
    }

    /// <summary>Labels of silos: sorted, each once, so that their order in the file means nothing.</summary>
    private static ImmutableArray<string> ReadSiloLabels(JsonMember member, JsonErrors errors)
    {
        var labels = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var (item, index) in JsonExpect.Array(member, errors).Select((item, index) => (item, index)))
        {
            if (item.Kind == JsonValueKind.String && item.Text.Length > 0 && !item.Text.Any(each => char.IsControl(each) || char.IsWhiteSpace(each) || each == ','))
            {
                labels.Add(item.Text);
            }
            else
            {
                errors.Expected($"{member.Path}[{index}]", item, "a label: a string without spaces and commas");
            }
        }

        return [.. labels];
    }

    private static bool IsNameInFolder(string file) =>
        file.Length > 0 && !file.Any(char.IsControl) && !Path.IsPathRooted(file) && !file.Contains('\\') && !RealPath.HasParentSegment(file);

    private void Set<T>(T? value, Func<ModelSettings, T, ModelSettings> set)
        where T : struct
    {
        if (value is { } given)
        {
            _settings = set(_settings, given);
        }
    }
}

/// <summary>Dimensions as people write them: <c>-1</c>, <c>4</c>, <c>1:8</c>.</summary>
internal static class DimensionText
{
    /// <param name="text">Spaces around numbers are ignored.</param>
    /// <param name="min">The smallest size allowed.</param>
    /// <param name="range">What it means.</param>
    public static bool TryParse(ReadOnlySpan<char> text, long min, out DimensionRange range)
    {
        text = text.Trim();
        var colon = text.IndexOf(':');
        var first = colon < 0 ? text : text[..colon].TrimEnd();
        var last = colon < 0 ? text : text[(colon + 1)..].TrimStart();
        if (text is "-1")
        {
            range = DimensionRange.Any;
            return true;
        }

        if (TrySize(first, out var from) && TrySize(last, out var to) && from >= min && from <= to)
        {
            range = new DimensionRange(from, to);
            return true;
        }

        range = default;
        return false;
    }

    /// <summary>An integer or a string of a JSON file; null and an error if it is neither or out of range.</summary>
    public static DimensionRange? Read(string path, JsonItem item, long min, JsonErrors errors)
    {
        if (item.Kind is JsonValueKind.Number or JsonValueKind.String && TryParse(item.Text, min, out var range))
        {
            return range;
        }

        errors.Expected(path, item, $"-1 for any size, an integer of at least {min}, or a range such as \"1:8\"");
        return null;
    }

    private static bool TrySize(ReadOnlySpan<char> text, out long size) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out size);
}
