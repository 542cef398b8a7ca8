using System.Text.RegularExpressions;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Prose;

/// <summary>Pages and comments are in plain English, which a reader understands at the first reading.</summary>
public sealed partial class ProseTests
{
    private const int MostWords = 25;

    private static readonly string[] PageFolders = ["docs", "deploy", "bench", "examples", "models", "tests"];

    private static readonly string[] CodeFolders = ["cli", "contracts", "dashboard", "gateway", "grains", "metrics", "security", "silo", "tools"];

    [Fact]
    public void Pages_EverySentence_IsShort() => AssertNone(Pages().SelectMany(static page => TooLong(page, MarkdownProse.Sentences)));

    [Fact]
    public void Comments_EverySentence_IsShort() => AssertNone(Code().SelectMany(static file => TooLong(file, CommentProse.Sentences)));

    [Fact]
    public void PagesAndComments_Subject_IsAComponent() =>
        AssertNone(Pages().Concat(Code()).SelectMany(static file => File.ReadLines(file)
            .Select((line, index) => (Text: line, Number: index + 1))
            .Where(static line => Vague().IsMatch(line.Text))
            .Select(line => $"{Name(file)}:{line.Number}: {line.Text}")));

    [Fact]
    public void PagesAndCode_AreFound()
    {
        Assert.InRange(Pages().Count(), 60, 200);
        Assert.InRange(Code().Count(), 300, 2000);
    }

    [Theory]
    [InlineData("One two. Three `a b. c` four! Five [six. seven](a.md#b) eight?", "One two.", "Three code four!", "Five six.", "seven eight?")]
    [InlineData("Version 1.2 of a.md is \"here.\" The end", "Version 1.2 of a.md is \"here.\"", "The end")]
    [InlineData("# No. Sentence\nOne\ntwo\n- **three** four\n  five\n1. six\n\nseven", "One two", "three four five", "six", "seven")]
    [InlineData("a\n```sh\nno. sentence\n```\nb\n<!-- no -->\nc", "a", "b", "c")]
    [InlineData("| no | head |\n|---|:--|\n| one. two | `x` |\n| three \\| four |", "one.", "two", "code", "three \\| four")]
    public void Sentences_OfAPage_AreWhatAReaderSees(string page, params string[] sentences) =>
        Assert.Equal(sentences, MarkdownProse.Sentences(page.Split('\n')).Select(static sentence => sentence.Text));

    [Theory]
    [InlineData("/// <summary>One <c>a. b</c> two. Three\n/// four</summary>\n/// <returns>Five.</returns>\nint x; // six", "One code two.", "Three four", "Five.")]
    [InlineData("    // One\n    // two.\n    /// <see cref=\"A\"/> three", "One two.", "code three")]
    public void Sentences_OfComments_AreWhatAReaderSees(string code, params string[] sentences) =>
        Assert.Equal(sentences, CommentProse.Sentences(code.Split('\n')).Select(static sentence => sentence.Text));

    [Fact]
    public void Sentences_AfterABlock_HaveTheirLineAndWords()
    {
        var sentence = MarkdownProse.Sentences(["```", "x", "```", "", "One two", "– three `four five`."]).Single();

        Assert.Equal((5, 4), (sentence.Line, sentence.Words));
    }

    /// <summary>Names all findings whole, which an assertion about a collection would cut.</summary>
    private static void AssertNone(IEnumerable<string> findings)
    {
        var text = string.Join('\n', findings);
        Assert.True(text.Length == 0, text);
    }

    private static IEnumerable<string> TooLong(string file, Func<IReadOnlyList<string>, IEnumerable<Sentence>> sentences) =>
        sentences(File.ReadAllLines(file))
            .Where(static sentence => sentence.Words > MostWords)
            .Select(sentence => $"{Name(file)}:{sentence.Line}: {sentence.Words} words: {sentence.Text}");

    private static IEnumerable<string> Pages() =>
        Directory.EnumerateFiles(TestPaths.Root, "*.md").Concat(Files(PageFolders, "*.md"));

    private static IEnumerable<string> Code() => Files(CodeFolders, "*.cs");

    private static IEnumerable<string> Files(IEnumerable<string> folders, string pattern) =>
        folders.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(TestPaths.Root, folder), pattern, SearchOption.AllDirectories))
            .Where(static file => !Made().IsMatch(Name(file)));

    private static string Name(string file) => Path.GetRelativePath(TestPaths.Root, file);

    /// <summary>Folders of what was built or installed.</summary>
    [GeneratedRegex("/(bin|obj|node_modules|artifacts|generated)/")]
    private static partial Regex Made();

    [GeneratedRegex(@"\b(nobody|somebody|whoever|whatever|everybody|anybody|someone)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Vague();
}
