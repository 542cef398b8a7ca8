using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Prose;

/// <summary>Files and members that the pages for developers name are there.</summary>
public sealed partial class NamedFilesTests
{
    private static readonly string[] Folders = ["cli", "contracts", "dashboard", "deploy", "gateway", "grains", "metrics", "security", "silo", "tests"];

    private static readonly Lazy<IReadOnlyList<string>> Files = new(static () =>
        [.. Folders.SelectMany(static folder => Directory.EnumerateFiles(Path.Combine(TestPaths.Root, folder), "*", SearchOption.AllDirectories))
            .Select(static file => Path.GetRelativePath(TestPaths.Root, file))
            .Where(static file => !Made().IsMatch(file))]);

    [Theory]
    [InlineData("docs/architecture.md", 12)]
    [InlineData("CONTRIBUTING.md", 50)]
    public async Task Page_FilesThatItNames_AreThere(string page, int atLeast)
    {
        var text = await ReadAsync(page);
        var names = FileName().Matches(text).Select(static match => match.Groups[1].Value).Distinct().ToList();

        Assert.True(names.Count >= atLeast, $"{names.Count}");
        Assert.DoesNotContain(names, static name => !File.Exists(Path.Combine(TestPaths.Root, name)) && (name.Contains('/') || !Files.Value.Any(file => Path.GetFileName(file) == name)));
    }

    [Theory]
    [InlineData("docs/architecture.md", 60)]
    [InlineData("CONTRIBUTING.md", 4)]
    public async Task Page_FilesThatItListsByFolder_AreThere(string page, int atLeast)
    {
        var names = Listed().Matches(await ReadAsync(page))
            .SelectMany(static match => match.Groups["name"].Captures.Select(name => $"{match.Groups["folder"].Value}/{name.Value}.cs"))
            .Distinct()
            .ToList();

        Assert.True(names.Count >= atLeast, $"{names.Count}");
        Assert.DoesNotContain(names, static name => !Files.Value.Contains(name));
    }

    [Fact]
    public async Task Architecture_MembersThatItNames_AreThere()
    {
        var sources = Files.Value.Where(static file => file.EndsWith(".cs", StringComparison.Ordinal) && !file.StartsWith("tests", StringComparison.Ordinal))
            .Select(static file => File.ReadAllText(Path.Combine(TestPaths.Root, file)))
            .ToList();
        var members = Member().Matches(await ReadAsync("docs/architecture.md")).Select(static match => (Type: match.Groups[1].Value, Name: match.Groups[2].Value)).Distinct().ToList();

        Assert.True(members.Count >= 15, $"{members.Count}");
        Assert.DoesNotContain(members, member => !sources.Exists(source =>
            Regex.IsMatch(source, $@"\b(class|struct|record|interface|enum) {member.Type}\b") && Regex.IsMatch(source, $@"\b{member.Name}\b")));
    }

    private static Task<string> ReadAsync(string page) => File.ReadAllTextAsync(Path.Combine(TestPaths.Root, page));

    [GeneratedRegex(@"`([\w./-]+\.(cs|proto|md|props|txt))`")]
    private static partial Regex FileName();

    /// <summary>As <c>`grains/Cache`: ModelCache, Victims</c>.</summary>
    [GeneratedRegex(@"`(?<folder>(contracts|gateway|grains|metrics|security|silo)(/\w+)*)`: (?<name>[A-Z]\w+)((\.cs)?, (?<name>[A-Z]\w+))*")]
    private static partial Regex Listed();

    [GeneratedRegex(@"`([A-Z][a-z]\w+)\.([A-Z]\w+)`")]
    private static partial Regex Member();

    [GeneratedRegex("(^|/)(bin|obj|node_modules|artifacts|generated)/")]
    private static partial Regex Made();
}
