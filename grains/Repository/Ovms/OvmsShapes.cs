using System.Collections.Immutable;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Repository.Ovms;

/// <summary>
/// Reads 'shape': <c>"(1,3,224,224)"</c> for every input, or an object (also one written into a string) with a shape for each.
/// </summary>
internal sealed class OvmsShapes(List<string> warnings, List<string> problems)
{
    private const string EveryInput = "";

    private readonly Dictionary<string, ImmutableArray<DimensionRange>> _shapes = new(StringComparer.Ordinal);

    public bool HasAny => _shapes.Count > 0;

    public ImmutableSortedDictionary<string, ImmutableArray<DimensionRange>> ToInputShapes() =>
        _shapes.ToImmutableSortedDictionary(StringComparer.Ordinal);

    public void Read(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind == JsonValueKind.Object)
        {
            ReadInputs(member.Value.Members, errors);
        }
        else if (JsonExpect.String(member, errors, "a string or an object of strings") is { } text)
        {
            ReadText(text);
        }
    }

    private void ReadText(string text)
    {
        if (!text.TrimStart().StartsWith('{'))
        {
            Add(EveryInput, text);
            return;
        }

        var errors = new JsonErrors();
        if (JsonTree.Parse(System.Text.Encoding.UTF8.GetBytes(text), errors) is { } item)
        {
            ReadInputs(item.Members, errors);
        }

        if (errors.Any)
        {
            problems.Add($"'shape' is no valid object: {errors}");
        }
    }

    private void ReadInputs(ImmutableArray<JsonMember> inputs, JsonErrors errors)
    {
        foreach (var input in inputs)
        {
            if (JsonExpect.String(input, errors) is { } text)
            {
                Add(input.Name, text);
            }
        }
    }

    private void Add(string input, string text)
    {
        if (text.Trim() == "auto")
        {
            warnings.Add(input == EveryInput ? "'shape' is \"auto\": taken as no limit" : $"'shape' of '{input}' is \"auto\": taken as no limit");
        }
        else if (TryParse(text, out var shape))
        {
            _shapes[input] = shape;
        }
        else
        {
            var found = new JsonItem(JsonValueKind.String, 0, text, [], []).Found;
            problems.Add($"'shape' is {found}; expected for example \"(1,3,224,224)\", \"(-1,3,1:8)\" or \"auto\"");
        }
    }

    private static bool TryParse(string text, out ImmutableArray<DimensionRange> shape)
    {
        var inner = text.AsSpan().Trim();
        if (inner is ['(', .., ')'])
        {
            inner = inner[1..^1].Trim();
        }

        var dimensions = ImmutableArray.CreateBuilder<DimensionRange>();
        var isValid = true;
        if (inner.Length > 0 || !text.Contains('('))
        {
            foreach (var part in inner.Split(','))
            {
                isValid &= DimensionText.TryParse(inner[part], 0, out var range);
                dimensions.Add(range);
            }
        }

        shape = dimensions.ToImmutable();
        return isValid;
    }
}
