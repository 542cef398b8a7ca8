using System.Text.Json.Nodes;

namespace Cluster.Sbom;

/// <summary>
/// The software bill of materials of a published program, as CycloneDX 1.6. It has the packages with files in its folder, with versions, hashes and dependencies, and
/// the frameworks that the program runs on. The same folder gives the same bytes.
/// </summary>
internal static class SoftwareBill
{
    private const string HashPrefix = "sha512-";

    private static readonly string[] FileKinds = ["runtime", "native"];

    /// <param name="folder">Has <c>PROGRAM.deps.json</c> and <c>PROGRAM.runtimeconfig.json</c>.</param>
    /// <exception cref="InvalidDataException">Those do not describe a program.</exception>
    public static JsonObject Of(string folder, string program)
    {
        var description = Read(Path.Combine(folder, program + ".deps.json"));
        var target = description["targets"]?[description["runtimeTarget"]?["name"]?.GetValue<string>() ?? ""] as JsonObject
            ?? throw new InvalidDataException($"{program}.deps.json names no target");
        var libraries = description["libraries"] as JsonObject ?? throw new InvalidDataException($"{program}.deps.json has no libraries");
        var own = target.FirstOrDefault(library => Name(library.Key) == program).Key ?? throw new InvalidDataException($"{program}.deps.json does not have {program}");
        var there = target.Where(library => library.Key != own && IsThere(folder, library.Value!)).Select(static library => library.Key).Order(StringComparer.Ordinal).ToList();
        var references = there.Append(own).ToDictionary(static key => key, key => Reference(key, IsPackage(libraries, key)), StringComparer.Ordinal);
        return new JsonObject
        {
            ["bomFormat"] = "CycloneDX",
            ["specVersion"] = "1.6",
            ["version"] = 1,
            ["metadata"] = new JsonObject { ["component"] = Component("application", own, references[own]) },
            ["components"] = new JsonArray([.. there.Select(key => Library(key, libraries[key], references[key])), .. Frameworks(folder, program)]),
            ["dependencies"] = new JsonArray([.. references.OrderBy(static reference => reference.Key, StringComparer.Ordinal).Select(reference => Dependency(reference.Value, target[reference.Key]!, references))]),
        };
    }

    /// <summary>The names of a library's files: managed ones, and native ones of the platform.</summary>
    internal static IEnumerable<string> Files(JsonNode library) =>
        FileKinds.SelectMany(kind => (library[kind] as JsonObject ?? []).Select(static file => file.Key[(file.Key.LastIndexOf('/') + 1)..]));

    private static JsonNode Read(string path) => JsonNode.Parse(File.ReadAllText(path)) ?? throw new InvalidDataException($"{Path.GetFileName(path)} is empty");

    private static string Name(string key) => key[..key.IndexOf('/', StringComparison.Ordinal)];

    private static string Version(string key) => key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..];

    private static bool IsPackage(JsonObject libraries, string key) => libraries[key]?["type"]?.GetValue<string>() == "package";

    private static bool IsThere(string folder, JsonNode library) => Files(library).Any(file => File.Exists(Path.Combine(folder, file)));

    private static string Reference(string key, bool isPackage) => isPackage ? $"pkg:nuget/{Name(key)}@{Version(key)}" : $"pkg:generic/{Name(key)}@{Version(key)}";

    private static JsonObject Component(string type, string key, string reference) =>
        new() { ["type"] = type, ["bom-ref"] = reference, ["name"] = Name(key), ["version"] = Version(key), ["purl"] = reference };

    private static JsonObject Library(string key, JsonNode? library, string reference)
    {
        var component = Component("library", key, reference);
        if (library?["sha512"]?.GetValue<string>() is { } hash && hash.StartsWith(HashPrefix, StringComparison.Ordinal))
        {
            component["hashes"] = new JsonArray(new JsonObject { ["alg"] = "SHA-512", ["content"] = Convert.ToHexStringLower(Convert.FromBase64String(hash[HashPrefix.Length..])) });
        }

        return component;
    }

    private static IEnumerable<JsonObject> Frameworks(string folder, string program)
    {
        var options = Read(Path.Combine(folder, program + ".runtimeconfig.json"))["runtimeOptions"];
        var frameworks = options?["frameworks"] as JsonArray ?? [options?["framework"]?.DeepClone()];
        return frameworks.OfType<JsonObject>().Select(static framework => $"{framework["name"]}/{framework["version"]}").Order(StringComparer.Ordinal)
            .Select(static key => Component("framework", key, Reference(key, isPackage: false)));
    }

    private static JsonObject Dependency(string reference, JsonNode library, Dictionary<string, string> references)
    {
        var needed = (library["dependencies"] as JsonObject ?? [])
            .Select(dependency => references.GetValueOrDefault($"{dependency.Key}/{dependency.Value}"))
            .OfType<string>().Order(StringComparer.Ordinal);
        return new JsonObject { ["ref"] = reference, ["dependsOn"] = new JsonArray([.. needed.Select(static name => JsonValue.Create(name))]) };
    }
}
