using System.Text.RegularExpressions;

namespace Cluster.Unit.Prose;

/// <summary>Splits the comments of a C# file into sentences. Parts between tags of a documentation comment are apart from each other.</summary>
internal static partial class CommentProse
{
    public static IEnumerable<Sentence> Sentences(IReadOnlyList<string> lines) =>
        Blocks(lines).SelectMany(static block => Tag().Split(Code().Replace(block.Text, "code")).SelectMany(part => Sentence.Split(block.Line, part)));

    private static IEnumerable<(int Line, string Text)> Blocks(IReadOnlyList<string> lines)
    {
        var comment = new List<string>();
        string? marker = null;
        for (var i = 0; i <= lines.Count; i++)
        {
            var line = Comment().Match(i < lines.Count ? lines[i] : "");
            var next = line.Success ? line.Groups[1].Value : null;
            if (next != marker && comment.Count > 0)
            {
                yield return (i - comment.Count + 1, string.Join(' ', comment));
                comment.Clear();
            }

            marker = next;
            if (line.Success)
            {
                comment.Add(line.Groups[2].Value);
            }
        }
    }

    [GeneratedRegex("^ *(///?)(.*)$")]
    private static partial Regex Comment();

    [GeneratedRegex("<code>.*?</code>|<c>.*?</c>|<[a-z]+ [^>]*/>|`[^`]*`")]
    private static partial Regex Code();

    [GeneratedRegex("</?[a-z]+( [^>]*)?>")]
    private static partial Regex Tag();
}
