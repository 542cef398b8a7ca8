using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Cluster.Contracts.Errors;

namespace Cluster.Grains.Repository.Json;

/// <summary>Reads strict JSON (no comments, no trailing commas, no key twice) into items that know their line.</summary>
internal ref struct JsonTree
{
    private const int MaxDepth = 32;

    private readonly ReadOnlySpan<byte> _text;
    private readonly JsonErrors _errors;
    private Utf8JsonReader _reader;
    private int _line;
    private int _countedTo;

    private JsonTree(ReadOnlySpan<byte> text, JsonErrors errors)
    {
        _text = text;
        _errors = errors;
        _reader = new Utf8JsonReader(text, new JsonReaderOptions { MaxDepth = MaxDepth });
        _line = 1;
    }

    /// <summary>The file's top value.</summary>
    /// <returns>Null if it is not JSON at all; then <paramref name="errors"/> says why. A key that occurs twice is an error, too.</returns>
    public static JsonItem? Parse(ReadOnlySpan<byte> text, JsonErrors errors)
    {
        var utf8 = text.StartsWith(Encoding.UTF8.Preamble) ? text[Encoding.UTF8.Preamble.Length..] : text;
        if (!Utf8.IsValid(utf8))
        {
            errors.Add(1, "not valid UTF-8");
            return null;
        }

        try
        {
            var tree = new JsonTree(utf8, errors);
            tree._reader.Read();
            var item = tree.ReadItem("");
            tree._reader.Read();
            return item;
        }
        catch (JsonException exception)
        {
            var mistake = JsonMistake.Of(utf8, exception, MaxDepth);
            errors.Add(mistake.Line, string.Create(CultureInfo.InvariantCulture, $"not valid JSON at position {mistake.Position}: {mistake.What}"));
            return null;
        }
        catch (InvalidOperationException)
        {
            errors.Add(1, "a string holds half of a surrogate pair");
            return null;
        }
    }

    private JsonItem ReadItem(string path)
    {
        var line = Line();
        return _reader.TokenType switch
        {
            JsonTokenType.StartObject => ReadObject(path, line),
            JsonTokenType.StartArray => ReadArray(path, line),
            JsonTokenType.String => new JsonItem(JsonValueKind.String, line, _reader.GetString()!, [], []),
            JsonTokenType.Number => new JsonItem(JsonValueKind.Number, line, Encoding.UTF8.GetString(_reader.ValueSpan), [], []),
            JsonTokenType.True => new JsonItem(JsonValueKind.True, line, "", [], []),
            JsonTokenType.False => new JsonItem(JsonValueKind.False, line, "", [], []),
            _ => new JsonItem(JsonValueKind.Null, line, "", [], []),
        };
    }

    private JsonItem ReadObject(string path, int line)
    {
        var members = ImmutableArray.CreateBuilder<JsonMember>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (_reader.Read() && _reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = _reader.GetString()!;
            var nameLine = Line();
            var memberPath = path.Length == 0 ? name : $"{path}.{name}";
            _reader.Read();
            var member = new JsonMember(name, memberPath, ReadItem(memberPath));
            if (names.Add(name))
            {
                members.Add(member);
            }
            else
            {
                _errors.Add(nameLine, $"'{memberPath}' is given twice");
            }
        }

        return new JsonItem(JsonValueKind.Object, line, "", members.ToImmutable(), []);
    }

    private JsonItem ReadArray(string path, int line)
    {
        var items = ImmutableArray.CreateBuilder<JsonItem>();
        while (_reader.Read() && _reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(ReadItem($"{path}[{items.Count}]"));
        }

        return new JsonItem(JsonValueKind.Array, line, "", [], items.ToImmutable());
    }

    private int Line()
    {
        var start = (int)_reader.TokenStartIndex;
        _line += _text[_countedTo..start].Count((byte)'\n');
        _countedTo = start;
        return _line;
    }
}
