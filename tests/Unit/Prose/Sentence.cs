using System.Text.RegularExpressions;

namespace Cluster.Unit.Prose;

/// <summary>A sentence of a page or a comment.</summary>
/// <param name="Line">Where its paragraph, list item, table row or comment begins, from 1.</param>
/// <param name="Text">The sentence as a reader sees it: a piece of code is one word, and links are without their addresses.</param>
internal sealed partial record Sentence(int Line, string Text)
{
    public int Words => Text.Split(' ').Count(static word => word.Any(char.IsLetterOrDigit));

    /// <summary>The sentences of a text that a reader sees. A stop inside a word ends none.</summary>
    public static IEnumerable<Sentence> Split(int line, string text) =>
        End().Split(Space().Replace(text, " ").Trim()).Where(static part => part.Length > 0).Select(part => new Sentence(line, part));

    [GeneratedRegex(@"(?<=[.!?]["")\u201d]*)\s+")]
    private static partial Regex End();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
