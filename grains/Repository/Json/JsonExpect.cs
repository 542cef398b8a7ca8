using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Cluster.Grains.Repository.Json;

/// <summary>Takes values out of JSON. Unexpected ones go to the errors, with the found and the expected form.</summary>
internal static class JsonExpect
{
    /// <summary>Gives each member to the action of its key; a key without one is an error that lists the keys there are.</summary>
    public static void Object<T>(
        string path, JsonItem item, FrozenDictionary<string, Action<T, JsonMember, JsonErrors>> keys, T target, JsonErrors errors)
    {
        if (item.Kind != JsonValueKind.Object)
        {
            errors.Expected(path, item, "an object");
            return;
        }

        foreach (var member in item.Members)
        {
            if (keys.TryGetValue(member.Name, out var read))
            {
                read(target, member, errors);
            }
            else
            {
                errors.Add(member.Line, $"unknown key '{member.Path}'; allowed here: {Quoted(keys.Keys.Order(StringComparer.Ordinal))}");
            }
        }
    }

    public static long? Integer(string path, JsonItem item, long min, long max, JsonErrors errors)
    {
        if (item.Kind == JsonValueKind.Number
            && long.TryParse(item.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
        {
            return value;
        }

        errors.Expected(path, item, max == long.MaxValue ? $"an integer of at least {min}" : $"an integer from {min} to {max}");
        return null;
    }

    /// <inheritdoc cref="Integer(string, JsonItem, long, long, JsonErrors)"/>
    public static int? Integer(JsonMember member, int min, int max, JsonErrors errors) =>
        (int?)Integer(member.Path, member.Value, min, max, errors);

    public static string? String(JsonMember member, JsonErrors errors, string expected = "a string")
    {
        if (member.Value.Kind == JsonValueKind.String)
        {
            return member.Value.Text;
        }

        errors.Expected(member, expected);
        return null;
    }

    public static bool? Boolean(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind is JsonValueKind.True or JsonValueKind.False)
        {
            return member.Value.Kind == JsonValueKind.True;
        }

        errors.Expected(member, "true or false");
        return null;
    }

    public static T? Choice<T>(JsonMember member, FrozenDictionary<string, T> choices, JsonErrors errors)
        where T : struct, Enum
    {
        if (member.Value.Kind == JsonValueKind.String && choices.TryGetValue(member.Value.Text, out var value))
        {
            return value;
        }

        errors.Expected(member, $"one of {string.Join(", ", choices.Keys.Order(StringComparer.Ordinal).Select(key => $"\"{key}\""))}");
        return null;
    }

    /// <summary>The elements; none if it is no array.</summary>
    public static ImmutableArray<JsonItem> Array(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind != JsonValueKind.Array)
        {
            errors.Expected(member, "an array");
        }

        return member.Value.Items;
    }

    /// <summary>The members of an object with free keys. None if the value is no object.</summary>
    public static ImmutableArray<JsonMember> Members(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind != JsonValueKind.Object)
        {
            errors.Expected(member, "an object");
        }

        return member.Value.Members;
    }

    private static string Quoted(IEnumerable<string> keys) => string.Join(", ", keys.Select(key => $"'{key}'"));
}
