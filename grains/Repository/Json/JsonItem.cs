using System.Buffers;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Cluster.Grains.Repository.Json;

/// <summary>A JSON value that knows its line, so that a message about it can name the line.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Line">Where it starts, from 1.</param>
/// <param name="Text">A string's value, a number as written; empty for others.</param>
/// <param name="Members">An object's members in order, no name twice.</param>
/// <param name="Items">An array's elements.</param>
internal sealed record JsonItem(
    JsonValueKind Kind,
    int Line,
    string Text,
    ImmutableArray<JsonMember> Members,
    ImmutableArray<JsonItem> Items)
{
    private const int MaxTextInMessage = 40;

    /// <summary>How a message calls it.</summary>
    public string Found => Kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => JsonSerializer.Serialize(Text.Length > MaxTextInMessage ? Text[..MaxTextInMessage] + "…" : Text, Plain),
        JsonValueKind.Number => Text,
        _ => Kind.ToString().ToLowerInvariant(),
    };

    /// <summary>The value as JSON without white space.</summary>
    public string ToJson()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            Write(json);
        }

        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private void Write(Utf8JsonWriter json)
    {
        switch (Kind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var member in Members)
                {
                    json.WritePropertyName(member.Name);
                    member.Value.Write(json);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in Items)
                {
                    item.Write(json);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.String:
                json.WriteStringValue(Text);
                break;
            case JsonValueKind.Number:
                json.WriteRawValue(Text);
                break;
            case JsonValueKind.True or JsonValueKind.False:
                json.WriteBooleanValue(Kind == JsonValueKind.True);
                break;
            default:
                json.WriteNullValue();
                break;
        }
    }

    /// <summary>Escapes quotes and control characters and leaves letters readable.</summary>
    private static JsonSerializerOptions Plain { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}

/// <summary>A member of an object.</summary>
/// <param name="Name">The key.</param>
/// <param name="Path">The keys from the top, joined by dots: what messages call the member.</param>
/// <param name="Value">What the key stands for.</param>
internal sealed record JsonMember(string Name, string Path, JsonItem Value)
{
    public int Line => Value.Line;
}

/// <summary>Everything that is wrong with one file, so that one attempt shows all of it.</summary>
internal sealed class JsonErrors
{
    private const int MaxShown = 20;

    private readonly List<string> _errors = [];

    public bool Any => _errors.Count > 0;

    public void Add(int line, string text) => _errors.Add($"line {line}: {text}");

    /// <summary>A value of another kind than expected.</summary>
    public void Expected(JsonMember member, string expected) => Expected(member.Path, member.Value, expected);

    /// <inheritdoc cref="Expected(JsonMember, string)"/>
    public void Expected(string path, JsonItem value, string expected) => Add(value.Line, $"'{path}' is {value.Found}; expected {expected}");

    public override string ToString() => string.Join("; ", _errors.Take(MaxShown))
        + (_errors.Count > MaxShown ? $"; and {_errors.Count - MaxShown} more" : "");
}
