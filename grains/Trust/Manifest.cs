using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cluster.Grains.Repository.Json;
using Cluster.Grains.Repository.Settings;

namespace Cluster.Grains.Trust;

/// <summary>What a signature vouches for: one version of one model with all its files, and the model's settings.</summary>
/// <param name="Settings">The content of model.json as JSON; null where there is none.</param>
/// <param name="Files">By name, relative to the version's folder with forward slashes.</param>
internal sealed record Manifest(string Model, long Version, DateTimeOffset SignedAt, string? Settings, ImmutableSortedDictionary<string, ManifestFile> Files)
{
    public const string FileName = "manifest.json";

    /// <summary>As much as 10,000 files with long names take.</summary>
    public const int MaxSize = 4 << 20;

    private const int Format = 1;
    private const int HashDigits = 64;

    private static readonly FrozenDictionary<string, Action<Reading, JsonMember, JsonErrors>> Keys = new Dictionary<string, Action<Reading, JsonMember, JsonErrors>>
    {
        ["format"] = static (reading, member, errors) => reading.Format = JsonExpect.Integer(member, Manifest.Format, Manifest.Format, errors),
        ["model"] = static (reading, member, errors) => reading.Model = JsonExpect.String(member, errors),
        ["version"] = static (reading, member, errors) => reading.Version = JsonExpect.Integer(member.Path, member.Value, 1, long.MaxValue, errors),
        ["signed_at"] = static (reading, member, errors) => reading.SignedAt = ReadTime(member, errors),
        ["settings"] = static (reading, member, errors) => reading.Settings = ReadSettings(member, errors),
        ["files"] = static (reading, member, errors) => reading.ReadFiles(member, errors),
    }.ToFrozenDictionary();

    private static readonly FrozenDictionary<string, Action<FileReading, JsonMember, JsonErrors>> FileKeys = new Dictionary<string, Action<FileReading, JsonMember, JsonErrors>>
    {
        ["name"] = static (reading, member, errors) => reading.Name = JsonExpect.String(member, errors),
        ["size"] = static (reading, member, errors) => reading.Size = JsonExpect.Integer(member.Path, member.Value, 0, long.MaxValue, errors),
        ["sha256"] = static (reading, member, errors) => reading.Hash = ReadHash(member, errors),
    }.ToFrozenDictionary();

    /// <param name="errors">Gets everything that is wrong.</param>
    /// <returns>Null after an error.</returns>
    public static Manifest? Read(ReadOnlySpan<byte> text, JsonErrors errors)
    {
        if (JsonTree.Parse(text, errors) is not { } top)
        {
            return null;
        }

        var reading = new Reading();
        JsonExpect.Object("the file", top, Keys, reading, errors);
        (string Name, bool IsGiven)[] needed =
        [
            ("format", reading.Format is not null), ("model", reading.Model is not null), ("version", reading.Version is not null),
            ("signed_at", reading.SignedAt is not null), ("files", reading.Files is not null),
        ];
        foreach (var (name, _) in needed.Where(static member => !member.IsGiven))
        {
            errors.Add(top.Line, $"'{name}' is missing");
        }

        return errors.Any ? null : new Manifest(reading.Model!, reading.Version!.Value, reading.SignedAt!.Value, reading.Settings, reading.Files!.ToImmutable());
    }

    public byte[] ToBytes()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("model", Model);
            json.WriteNumber("version", Version);
            json.WriteString("signed_at", SignedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
            if (Settings is not null)
            {
                json.WritePropertyName("settings");
                json.WriteRawValue(Settings);
            }

            json.WriteStartArray("files");
            foreach (var (name, file) in Files)
            {
                json.WriteStartObject();
                json.WriteString("name", name);
                json.WriteNumber("size", file.Size);
                json.WriteString("sha256", file.Hash);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return text.WrittenSpan.ToArray();
    }

    /// <summary>The settings that were signed; null if they are none that this program knows, with the reasons.</summary>
    public ModelDefinition? Definition(JsonErrors errors) =>
        Settings is null ? ModelDefinition.Default : ModelSettingsReader.Read(Encoding.UTF8.GetBytes(Settings), errors);

    private static string? ReadSettings(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind == JsonValueKind.Object)
        {
            return member.Value.ToJson();
        }

        errors.Expected(member, "an object");
        return null;
    }

    private static DateTimeOffset? ReadTime(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind == JsonValueKind.String
            && DateTimeOffset.TryParseExact(member.Value.Text, "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }

        errors.Expected(member, "a time such as \"2026-01-31T12:00:00Z\"");
        return null;
    }

    private static string? ReadHash(JsonMember member, JsonErrors errors)
    {
        if (member.Value.Kind == JsonValueKind.String && member.Value.Text.Length == HashDigits && member.Value.Text.All(char.IsAsciiHexDigitLower))
        {
            return member.Value.Text;
        }

        errors.Expected(member, $"{HashDigits} hexadecimal digits in lower case");
        return null;
    }

    private sealed class Reading
    {
        public int? Format { get; set; }

        public string? Model { get; set; }

        public long? Version { get; set; }

        public DateTimeOffset? SignedAt { get; set; }

        public string? Settings { get; set; }

        public ImmutableSortedDictionary<string, ManifestFile>.Builder? Files { get; private set; }

        public void ReadFiles(JsonMember member, JsonErrors errors)
        {
            Files = ImmutableSortedDictionary.CreateBuilder<string, ManifestFile>(StringComparer.Ordinal);
            foreach (var (index, item) in JsonExpect.Array(member, errors).Index())
            {
                var reading = new FileReading();
                JsonExpect.Object($"{member.Path}[{index}]", item, FileKeys, reading, errors);
                if (reading is not { Name: { } name, Size: { } size, Hash: { } hash })
                {
                    errors.Add(item.Line, $"'{member.Path}[{index}]' lacks name, size or sha256");
                }
                else if (!Files.TryAdd(name, new ManifestFile(size, hash)))
                {
                    errors.Add(item.Line, $"'{member.Path}[{index}]' names a file for the second time");
                }
            }
        }
    }

    private sealed class FileReading
    {
        public string? Name { get; set; }

        public long? Size { get; set; }

        public string? Hash { get; set; }
    }
}

/// <param name="Hash">SHA-256, 64 hexadecimal digits.</param>
internal readonly record struct ManifestFile(long Size, string Hash);
