using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Cluster.Cli.Documents;

/// <summary>A column of a table.</summary>
/// <param name="IsWide">Whether it is shown by <c>-o wide</c> alone.</param>
internal sealed record Column(string Title, Func<JsonNode, string> Text, bool IsWide = false);

/// <summary>Writes what a verb has to show: for people as a table, for programs as the document that it is made of.</summary>
internal sealed class Printer(Surroundings surroundings, OutputFormat format)
{
    /// <summary>Where the output is no terminal, nothing is cut or folded.</summary>
    private const int NoLimit = 100_000;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions OneLine = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly IAnsiConsole _console = CreateConsole(surroundings);

    public bool IsForPeople => format is OutputFormat.Table or OutputFormat.Wide;

    public IAnsiConsole Console => _console;

    /// <summary>A document, which people see as a table of its rows.</summary>
    public void Write(JsonNode document, IEnumerable<JsonNode> rows, params Column[] columns)
    {
        if (IsForPeople)
        {
            _console.Write(Table(rows, columns));
        }
        else
        {
            Document(document);
        }
    }

    /// <summary>A document, for programs alone.</summary>
    public void Document(JsonNode document) =>
        surroundings.Output.WriteLine(format == OutputFormat.Yaml ? Yaml.Write(document).TrimEnd('\n') : document.ToJsonString(Indented));

    /// <summary>One document of a series: a line of JSON, or a document of YAML.</summary>
    public void Item(JsonNode document)
    {
        surroundings.Output.WriteLine(format == OutputFormat.Yaml ? "---\n" + Yaml.Write(document).TrimEnd('\n') : document.ToJsonString(OneLine));
        surroundings.Output.Flush();
    }

    /// <summary>A line for people.</summary>
    public void Line(string text) => surroundings.Output.WriteLine(PlainText.Of(text));

    public Renderable Table(IEnumerable<JsonNode> rows, params Column[] columns)
    {
        var shown = columns.Where(column => !column.IsWide || format == OutputFormat.Wide).ToList();
        var table = new Table().Border(TableBorder.None).HideFooters();
        foreach (var column in shown)
        {
            table.AddColumn(new TableColumn(new Text(column.Title, new Style(decoration: Decoration.Bold))) { Padding = new Padding(0, 0, 3, 0), NoWrap = true });
        }

        foreach (var row in rows)
        {
            table.AddRow(shown.Select(column => new Text(PlainText.Of(column.Text(row)))));
        }

        return table;
    }

    private static IAnsiConsole CreateConsole(Surroundings surroundings)
    {
        var isTerminal = surroundings.Width is not null;
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(surroundings.Output),
            Ansi = isTerminal && surroundings.Variable("NO_COLOR") is null ? AnsiSupport.Detect : AnsiSupport.No,
            Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        console.Profile.Width = surroundings.Width ?? NoLimit;
        return console;
    }
}

internal enum OutputFormat
{
    Table,
    Wide,
    Json,
    Yaml,
}

/// <summary>Text of a server or a file, as a terminal may have it: names are their owners' choice, and none is to move the cursor.</summary>
internal static class PlainText
{
    public static string Of(string text)
    {
        if (!text.Any(IsUnfit))
        {
            return text;
        }

        var plain = new StringBuilder(text.Length);
        foreach (var letter in text)
        {
            _ = IsUnfit(letter) ? plain.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}") : plain.Append(letter);
        }

        return plain.ToString();
    }

    /// <summary>Control characters, and those that turn the direction of a text.</summary>
    private static bool IsUnfit(char letter) => char.IsControl(letter) || (char.GetUnicodeCategory(letter) == UnicodeCategory.Format && letter != '\u00ad');
}
