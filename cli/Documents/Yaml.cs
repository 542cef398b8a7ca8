using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;
using YamlDotNet.Serialization;

namespace Cluster.Cli.Documents;

/// <summary>YAML as JSON: plain scalars are null, booleans and numbers as YAML's core schema has them, all else is text.</summary>
internal static class Yaml
{
    private const int MaxDepth = 100;

    private static readonly ISerializer Serializer = new SerializerBuilder().WithQuotingNecessaryStrings().WithTypeConverter(new NumberConverter()).Build();

    /// <returns>Null for an empty document.</returns>
    /// <exception cref="YamlException">It is no YAML, or more than one document.</exception>
    public static JsonNode? Read(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return stream.Documents.Count switch
        {
            0 => null,
            1 => ToJson(stream.Documents[0].RootNode, 0),
            _ => throw new YamlException(stream.Documents[1].RootNode.Start, stream.Documents[1].RootNode.End, "a second document, expected one"),
        };
    }

    public static string Write(JsonNode? node) => Serializer.Serialize(ToObject(node));

    /// <summary>An alias is read each time that it is named, so the depth bounds what refers to itself.</summary>
    private static JsonNode? ToJson(YamlNode node, int depth)
    {
        if (depth > MaxDepth || node.Anchor is { IsEmpty: false })
        {
            throw new YamlException(node.Start, node.End, "nested too deeply, or an anchor, which is not taken");
        }

        switch (node)
        {
            case YamlMappingNode mapping:
                var members = new JsonObject();
                foreach (var (key, value) in mapping.Children)
                {
                    members[(key as YamlScalarNode)?.Value ?? throw new YamlException(key.Start, key.End, "a key that is no text")] = ToJson(value, depth + 1);
                }

                return members;
            case YamlSequenceNode sequence:
                return new JsonArray([.. sequence.Children.Select(child => ToJson(child, depth + 1))]);
            case YamlScalarNode { Style: ScalarStyle.Plain } scalar:
                return Plain(scalar.Value ?? "");
            default:
                return JsonValue.Create(((YamlScalarNode)node).Value);
        }
    }

    private static JsonValue? Plain(string text) => text switch
    {
        "" or "~" or "null" or "Null" or "NULL" => null,
        "true" or "True" or "TRUE" => JsonValue.Create(true),
        "false" or "False" or "FALSE" => JsonValue.Create(false),
        _ when long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => JsonValue.Create(whole),
        _ when (char.IsAsciiDigit(text[0]) || text[0] is '-' or '+' or '.') && double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) =>
            JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };

    private static object? ToObject(JsonNode? node) => node switch
    {
        null => null,
        JsonObject members => members.ToDictionary(static member => member.Key, static member => ToObject(member.Value)),
        JsonArray elements => elements.Select(ToObject).ToList(),
        _ => node.GetValueKind() switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            JsonValueKind.Number => new Number(node.ToJsonString()),
            _ => node.ToString(),
        },
    };

    /// <summary>A number in the letters of the JSON: no type of numbers has all values and forms of all of them.</summary>
    private sealed record Number(string Text);

    private sealed class NumberConverter : IYamlTypeConverter
    {
        public bool Accepts(Type type) => type == typeof(Number);

        public object ReadYaml(IParser parser, Type type, ObjectDeserializer rootDeserializer) => throw new NotSupportedException("numbers are read by Plain");

        public void WriteYaml(IEmitter emitter, object? value, Type type, ObjectSerializer serializer) =>
            emitter.Emit(new Scalar(AnchorName.Empty, TagName.Empty, ((Number)value!).Text, ScalarStyle.Plain, isPlainImplicit: true, isQuotedImplicit: false));
    }
}
