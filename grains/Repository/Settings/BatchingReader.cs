using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Reads <c>batching</c> of model.json.</summary>
internal sealed class BatchingReader
{
    public const int MaxSize = 65_536;
    public const int MaxDelayMicroseconds = 1_000_000;

    /// <summary>ONNX Runtime has no use for more dimensions.</summary>
    private const int MaxDimension = 63;

    private static readonly FrozenDictionary<string, Action<BatchingReader, JsonMember, JsonErrors>> Readers =
        new Dictionary<string, Action<BatchingReader, JsonMember, JsonErrors>>
        {
            ["max_size"] = (reader, member, errors) => reader._settings = reader._settings with { MaxSize = JsonExpect.Integer(member, 2, MaxSize, errors) ?? 2 },
            ["preferred_sizes"] = (reader, member, errors) => reader._settings = reader._settings with { PreferredSizes = ReadSizes(member, errors) },
            ["max_delay_microseconds"] = (reader, member, errors) => reader._settings = reader._settings with
            {
                MaxDelay = TimeSpan.FromMicroseconds(JsonExpect.Integer(member, 0, MaxDelayMicroseconds, errors) ?? 0),
            },
            ["padding"] = (reader, member, errors) => reader._settings = reader._settings with { Padding = ReadPadding(member, errors) },
        }.ToFrozenDictionary();

    private BatchingSettings _settings = BatchingSettings.None;

    /// <summary>Every key that there may be.</summary>
    public static IEnumerable<string> Keys => Readers.Keys;

    public static BatchingSettings Read(JsonMember member, JsonErrors errors)
    {
        var reader = new BatchingReader();
        JsonExpect.Object(member.Path, member.Value, Readers, reader, errors);
        var settings = reader._settings;
        if (!errors.Any && !settings.IsOn)
        {
            errors.Add(member.Line, $"'{member.Path}' has no 'max_size'; expected the rows of the largest run, from 2");
        }

        if (settings.PreferredSizes is [.., var largest] && largest > settings.MaxSize)
        {
            errors.Add(member.Line, $"'{member.Path}.preferred_sizes' has {largest}, more than 'max_size', {settings.MaxSize}");
        }

        return settings;
    }

    /// <summary>Ascending, each once, so that their order in the file means nothing.</summary>
    private static ImmutableArray<int> ReadSizes(JsonMember member, JsonErrors errors) =>
    [
        .. JsonExpect.Array(member, errors)
            .Select((item, index) => (int?)JsonExpect.Integer($"{member.Path}[{index}]", item, 1, MaxSize, errors))
            .OfType<int>().Distinct().Order(),
    ];

    private static ImmutableSortedDictionary<string, PaddedDimension> ReadPadding(JsonMember member, JsonErrors errors)
    {
        var padding = ImmutableSortedDictionary.CreateBuilder<string, PaddedDimension>(StringComparer.Ordinal);
        foreach (var tensor in JsonExpect.Members(member, errors))
        {
            padding[tensor.Name] = ReadDimension(tensor, errors);
        }

        return padding.ToImmutable();
    }

    private static PaddedDimension ReadDimension(JsonMember tensor, JsonErrors errors)
    {
        var (dimension, value) = (0, 0.0);
        foreach (var key in JsonExpect.Members(tensor, errors))
        {
            switch (key.Name)
            {
                case "dimension":
                    dimension = JsonExpect.Integer(key, 1, MaxDimension, errors) ?? 1;
                    break;
                case "value" when key.Value.Kind == JsonValueKind.Number && double.TryParse(key.Value.Text, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number):
                    value = number;
                    break;
                case "value":
                    errors.Expected(key, "a number");
                    break;
                default:
                    errors.Add(key.Line, $"unknown key '{key.Path}'; allowed here: 'dimension', 'value'");
                    break;
            }
        }

        if (dimension == 0 && !errors.Any)
        {
            errors.Add(tensor.Line, $"'{tensor.Path}' has no 'dimension'; expected the padded dimension, from 1: dimension 0 is the batch");
        }

        return new PaddedDimension(dimension, value);
    }
}
