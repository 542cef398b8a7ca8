using System.Text.Json;
using Cluster.Contracts.Options;

namespace Cluster.Silo.Options;

/// <summary>Reads the file of options: an object of sections, each an object of values.</summary>
internal sealed class AppSettings
{
    /// <summary>Sections that parts read which are not ours.</summary>
    private static readonly string[] OthersSections = ["Orleans"];

    private static readonly JsonDocumentOptions Lenient = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly string _file;
    private readonly Dictionary<string, string?> _values = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<string> _mistakes = [];

    private AppSettings(string file) => _file = Path.GetFileName(file);

    /// <summary>By key, such as <c>Cluster:HttpPort</c>; empty lists and objects are empty texts.</summary>
    public IReadOnlyDictionary<string, string?> Values => _values;

    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <param name="path">The file need not exist.</param>
    /// <param name="sections">The names of the known ones.</param>
    public static AppSettings Read(string path, IReadOnlyCollection<string> sections)
    {
        var settings = new AppSettings(path);
        try
        {
            using var stream = File.OpenRead(path);
            using var document = JsonDocument.Parse(stream, Lenient);
            settings.AddSections(document.RootElement, [.. sections, .. OthersSections]);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return settings;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            settings._mistakes.Add($"{path} cannot be read, expected a file of options");
        }
        catch (JsonException exception)
        {
            settings._mistakes.Add($"{path} is not JSON, see line {exception.LineNumber + 1}, byte {exception.BytePositionInLine + 1}");
        }

        return settings;
    }

    /// <summary>The key as people read it.</summary>
    public string NameOf(string key) => $"{key} in {_file}";

    private void AddSections(JsonElement root, IReadOnlyCollection<string> sections)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            _mistakes.Add($"{_file} is {Say(root)}, expected an object of sections");
            return;
        }

        foreach (var section in root.EnumerateObject())
        {
            if (!sections.Contains(section.Name, StringComparer.OrdinalIgnoreCase))
            {
                _mistakes.Add($"{NameOf(OptionSection.OneLine(section.Name))} is unknown{OptionSection.Hint(section.Name, sections)}");
            }
            else if (section.Value.ValueKind != JsonValueKind.Object)
            {
                _mistakes.Add($"{NameOf(section.Name)} is {Say(section.Value)}, expected an object of options");
            }
            else
            {
                foreach (var option in section.Value.EnumerateObject())
                {
                    Add($"{section.Name}:{option.Name}", option.Value);
                }
            }
        }
    }

    private void Add(string key, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Null:
                _mistakes.Add($"{NameOf(OptionSection.OneLine(key))} is null, expected a value, or no such key for the default");
                return;
            case JsonValueKind.Object when value.EnumerateObject().Any():
                foreach (var member in value.EnumerateObject())
                {
                    Add($"{key}:{member.Name}", member.Value);
                }

                return;
            case JsonValueKind.Array when value.GetArrayLength() > 0:
                foreach (var (index, item) in value.EnumerateArray().Index())
                {
                    Add($"{key}:{index}", item);
                }

                return;
            default:
                var text = value.ValueKind is JsonValueKind.Object or JsonValueKind.Array ? "" : value.ValueKind == JsonValueKind.String ? value.GetString() : value.GetRawText();
                if (!_values.TryAdd(key, text))
                {
                    _mistakes.Add($"{NameOf(OptionSection.OneLine(key))} is given twice, expected once");
                }

                return;
        }
    }

    private static string Say(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        _ => $"'{OptionSection.OneLine(value.ToString())}'",
    };
}
