using System.CommandLine;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>infer MODEL FILE</c>: one request, made of files.</summary>
internal static partial class InferCommand
{
    /// <summary>Values of an output that people are shown; programs get all.</summary>
    private const int ShownValues = 64;

    private static readonly Column[] Classes =
    [
        new("CLASS", static row => row.Text("class")),
        new("LABEL", static row => row.Text("label")),
        new("SCORE", static row => row.Text("score")),
    ];

    public static Command Create(Verbs verbs)
    {
        var request = new RequestArguments();
        var command = verbs.Create("infer", "Sends a request and shows the answer; needs infer, and read for what is no whole request.", async (session, parsed, cancellationToken) =>
        {
            var (path, content) = await request.ReadAsync(session, parsed, cancellationToken);
            using var body = content;
            Write(session.Output, await session.Client.PostAsync(path, body, cancellationToken));
            return ExitCodes.Done;
        });
        request.AddTo(command);
        return command;
    }

    private static void Write(Printer output, JsonNode answer)
    {
        if (!output.IsForPeople)
        {
            output.Document(answer);
            return;
        }

        output.Line($"Model {answer.Text("model_name")}, version {answer.Text("model_version")}");
        foreach (var tensor in answer.List("outputs"))
        {
            output.Line($"{tensor.Text("name")} {tensor.Text("datatype")} [{string.Join(", ", tensor.List("shape"))}]");
            var values = Flat(tensor["data"]).ToList();
            var classes = values.Select(static value => ClassText().Match(value)).ToList();
            if (tensor.Text("datatype") == "BYTES" && classes.Count > 0 && classes.TrueForAll(static match => match.Success))
            {
                output.Write(tensor, classes.Select(static match => new JsonObject { ["class"] = match.Groups["class"].Value, ["label"] = match.Groups["label"].Value, ["score"] = match.Groups["score"].Value }), Classes);
            }
            else
            {
                var more = values.Count > ShownValues ? $" … {values.Count - ShownValues} more, with -o json" : "";
                output.Line("  " + string.Join(' ', values.Take(ShownValues)) + more);
            }
        }
    }

    private static IEnumerable<string> Flat(JsonNode? data) => data is JsonArray elements ? elements.SelectMany(Flat) : [data?.ToString() ?? "null"];

    /// <summary>As the classification extension has it: score, index and, where there is one, the label.</summary>
    [GeneratedRegex("^(?<score>[^:]*):(?<class>[0-9]+)(?::(?<label>.*))?$")]
    private static partial Regex ClassText();
}
