using System.Text.RegularExpressions;

namespace Cluster.Unit.Prose;

/// <summary>
/// Splits Markdown into sentences. Paragraphs, list items and table cells are apart from each other. Headings, the heads of tables, code
/// blocks and comments have none.
/// </summary>
internal static partial class MarkdownProse
{
    public static IEnumerable<Sentence> Sentences(IReadOnlyList<string> lines) =>
        Blocks(lines).SelectMany(static block => Sentence.Split(block.Line, Visible(block.Text)));

    private static IEnumerable<(int Line, string Text)> Blocks(IReadOnlyList<string> lines)
    {
        string? fence = null;
        var paragraph = new List<string>();
        for (var i = 0; i <= lines.Count; i++)
        {
            var line = i < lines.Count ? lines[i].Trim() : "";
            var opening = Fence().Match(line);
            var item = ListItem().Match(line);
            var isApart = fence is not null || opening.Success || item.Success || line is "" or ['#' or '|' or '<', ..];
            if (isApart && paragraph.Count > 0)
            {
                yield return (i - paragraph.Count + 1, string.Join(' ', paragraph));
                paragraph.Clear();
            }

            if (fence is not null)
            {
                fence = line.StartsWith(fence, StringComparison.Ordinal) ? null : fence;
            }
            else if (opening.Success)
            {
                fence = opening.Value;
            }
            else if (line.StartsWith('|') && !IsRule(line) && !IsRule(i + 1 < lines.Count ? lines[i + 1].Trim() : ""))
            {
                foreach (var cell in CellEnd().Split(line))
                {
                    yield return (i + 1, cell);
                }
            }
            else if (item.Success || !isApart)
            {
                paragraph.Add(line[item.Length..]);
            }
        }
    }

    private static string Visible(string text) =>
        Link().Replace(Code().Replace(text, "code"), "$1").Replace("*", "", StringComparison.Ordinal);

    private static bool IsRule(string line) => line.StartsWith('|') && line.All(static c => c is '|' or '-' or ':' or ' ');

    [GeneratedRegex("^(```+|~~~+)")]
    private static partial Regex Fence();

    [GeneratedRegex(@"^([-*+]|\d+\.)\s+")]
    private static partial Regex ListItem();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    [GeneratedRegex(@"!?\[([^\]]*)\]\([^)]*\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex CellEnd();
}
