using System.Collections.Frozen;
using System.Text.Json;
using Cluster.Contracts.Models;
using Cluster.Grains.Repository.Json;

namespace Cluster.Grains.Repository.Settings;

/// <summary>Reads <c>{"latest":{"num_versions":2}}</c>, <c>{"all":{}}</c> or <c>{"specific":{"versions":[1,3]}}</c>.</summary>
internal sealed class VersionPolicyReader
{
    private static readonly FrozenDictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>> LatestKeys =
        new Dictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>>
        {
            ["num_versions"] = (reader, member, errors) =>
                reader._policy = JsonExpect.Integer(member, 1, int.MaxValue, errors) is { } count ? VersionPolicy.Latest(count) : null,
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>> SpecificKeys =
        new Dictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>>
        {
            ["versions"] = (reader, member, errors) => reader._policy = Specific(member, errors),
        }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>> NoKeys =
        FrozenDictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>>.Empty;

    private static readonly FrozenDictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>> Kinds =
        new Dictionary<string, Action<VersionPolicyReader, JsonMember, JsonErrors>>
        {
            ["latest"] = (reader, member, errors) =>
            {
                reader._policy = VersionPolicy.LatestOne;
                JsonExpect.Object(member.Path, member.Value, LatestKeys, reader, errors);
            },
            ["all"] = (reader, member, errors) =>
            {
                reader._policy = VersionPolicy.All;
                JsonExpect.Object(member.Path, member.Value, NoKeys, reader, errors);
            },
            ["specific"] = (reader, member, errors) =>
            {
                JsonExpect.Object(member.Path, member.Value, SpecificKeys, reader, errors);
                if (member.Value.Kind == JsonValueKind.Object && member.Value.Members.All(each => each.Name != "versions"))
                {
                    errors.Add(member.Line, $"'{member.Path}' lacks 'versions'");
                }
            },
        }.ToFrozenDictionary();

    private VersionPolicy? _policy;

    /// <summary>The names of the kinds.</summary>
    public static IEnumerable<string> Keys => Kinds.Keys;

    /// <returns>Null after an error.</returns>
    public static VersionPolicy? Read(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind != JsonValueKind.Object || member.Value.Members.Length != 1)
        {
            errors.Expected(member, "an object with one of 'latest', 'all', 'specific'");
            return null;
        }

        var reader = new VersionPolicyReader();
        JsonExpect.Object(member.Path, member.Value, Kinds, reader, errors);
        return reader._policy;
    }

    private static VersionPolicy? Specific(JsonMember member, JsonErrors errors)
    {
        var versions = JsonExpect.Array(member, errors)
            .Select((item, index) => JsonExpect.Integer($"{member.Path}[{index}]", item, 1, long.MaxValue, errors))
            .ToList();
        if (member.Value.Kind == JsonValueKind.Array && versions.Count == 0)
        {
            errors.Add(member.Line, $"'{member.Path}' names no version");
        }

        return VersionPolicy.Specific(versions.OfType<long>());
    }
}
