using System.Text.Json;
using Cluster.Contracts.Errors;

namespace Cluster.Gateway.Rest;

/// <summary>Walks JSON objects and reports mistakes in their form.</summary>
internal static class JsonMembers
{
    /// <summary>Inputs, outputs or parameters: more than any model has; a request with more is refused before it costs memory.</summary>
    private const int MaxEntries = 4096;

    /// <summary>Moves to the name of the next member; false at the end of the object.</summary>
    public static bool NextMember(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.PropertyName;

    /// <summary>Moves to the current member's value. False for null, which many serializers write for an absent member.</summary>
    public static bool HasValue(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType != JsonTokenType.Null;

    public static void RequireObject(ref Utf8JsonReader reader, string what, string? form = null) =>
        Require(reader.TokenType == JsonTokenType.StartObject, what, form is null ? "an object" : $"an object: {form}");

    public static void RequireArray(ref Utf8JsonReader reader, string what) => Require(reader.TokenType == JsonTokenType.StartArray, what, "an array");

    public static void Limit(int count, string what)
    {
        if (count >= MaxEntries)
        {
            throw ServingException.InvalidArgument($"the request has more than {MaxEntries} {what}");
        }
    }

    public static void Once(bool seen, string owner, string name)
    {
        if (seen)
        {
            throw ServingException.InvalidArgument($"{owner} has {name} twice");
        }
    }

    private static void Require(bool condition, string what, string kind)
    {
        if (!condition)
        {
            throw ServingException.InvalidArgument($"{what} must be {kind}");
        }
    }
}
