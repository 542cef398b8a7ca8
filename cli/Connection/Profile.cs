using System.Text.Json.Nodes;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Connection;

/// <summary>How a gateway is reached. What is null is left to a profile, a variable or a default.</summary>
internal sealed record Profile
{
    private const string DefaultProfile = "default";

    private static readonly Dictionary<string, Func<Profile, string, Profile>> Members = new(StringComparer.Ordinal)
    {
        ["server"] = static (profile, text) => profile with { Server = text },
        ["ca"] = static (profile, text) => profile with { Ca = text },
        ["cert"] = static (profile, text) => profile with { Cert = text },
        ["key"] = static (profile, text) => profile with { Key = text },
        ["api-key-file"] = static (profile, text) => profile with { ApiKeyFile = text },
    };

    public string? Server { get; init; }

    public string? Ca { get; init; }

    public string? Cert { get; init; }

    public string? Key { get; init; }

    public string? ApiKeyFile { get; init; }

    /// <summary>By the XDG base directories.</summary>
    public static string PathOf(Func<string, string?> variable)
    {
        var folder = variable("XDG_CONFIG_HOME") is { Length: > 0 } home ? home : Path.Combine(variable("HOME") ?? "", ".config");
        return Path.Combine(folder, "cluster", "config.yaml");
    }

    /// <summary>The profile of that name; without a name the one called <c>default</c>, if there is one. Files in it are relative to the file's folder.</summary>
    /// <exception cref="CommandFailure">The file or the profile is wrong or missing.</exception>
    public static Profile Read(string path, string? name)
    {
        if (!File.Exists(path))
        {
            return name is null ? new Profile() : throw CommandFailure.Usage($"profile '{name}' is unknown: there is no file {path}");
        }

        var document = DocumentFile.Read(path) as JsonObject ?? throw CommandFailure.Usage($"{path} is no mapping, expected profiles:");
        Only(document, ["profiles"], path);
        var profiles = document["profiles"] as JsonObject ?? throw CommandFailure.Usage($"{path} has no mapping profiles:, expected one of names");
        if (!profiles.TryGetPropertyValue(name ?? DefaultProfile, out var found))
        {
            return name is null
                ? new Profile()
                : throw CommandFailure.Usage($"profile '{name}' is unknown, {path} has {string.Join(", ", profiles.Select(static entry => entry.Key))}");
        }

        var profile = found as JsonObject ?? throw CommandFailure.Usage($"{path}: profile '{name ?? DefaultProfile}' is no mapping, expected {string.Join(", ", Members.Keys)}");
        Only(profile, Members.Keys, $"{path}: profile '{name ?? DefaultProfile}'");
        return profile.Aggregate(new Profile(), (read, member) => Members[member.Key](read, member.Value is JsonValue value ? value.ToString() : ""))
            .RelativeTo(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>What is given here, and else what the other has; a certificate and its key come from the same.</summary>
    public Profile Or(Profile other) => new()
    {
        Server = Server ?? other.Server,
        Ca = Ca ?? other.Ca,
        Cert = Cert is null && Key is null ? other.Cert : Cert,
        Key = Cert is null && Key is null ? other.Key : Key,
        ApiKeyFile = ApiKeyFile ?? other.ApiKeyFile,
    };

    private static void Only(JsonObject mapping, IReadOnlyCollection<string> known, string where)
    {
        if (mapping.Select(static member => member.Key).FirstOrDefault(key => !known.Contains(key)) is { } unknown)
        {
            throw CommandFailure.Usage($"{where} has an unknown key '{unknown}', expected {string.Join(", ", known)}");
        }
    }

    private Profile RelativeTo(string folder) => this with { Ca = In(folder, Ca), Cert = In(folder, Cert), Key = In(folder, Key), ApiKeyFile = In(folder, ApiKeyFile) };

    private static string? In(string folder, string? path) => path is null ? null : Path.Combine(folder, path);
}
