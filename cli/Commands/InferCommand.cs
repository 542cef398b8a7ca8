using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Tensors;

namespace Cluster.Cli.Commands;

/// <summary><c>infer MODEL FILE</c>: one request, made of files.</summary>
internal static partial class InferCommand
{
    private const int DefaultClasses = 3;

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
        var model = new Argument<string>("MODEL");
        var inputs = new Argument<string[]>("INPUT") { Arity = ArgumentArity.OneOrMore, Description = "FILE, or NAME=FILE for the input of that name: a request or values as JSON, .npy, a picture; - is the standard input" };
        var version = new Option<string?>("--model-version") { HelpName = "VERSION", Description = "A version; else the server chooses" };
        var classes = new Option<int?>("--classes") { HelpName = "COUNT", Description = "Answer with the best classes [default: 3 for a picture]" };
        var whole = new Option<bool>("--whole-picture") { Description = "Take all of a picture, also where the input is of one digit" };
        var unit = new Option<bool>("--unit-values") { Description = "A picture's values are 0 to 1, not 0 to 255" };
        var command = verbs.Create("infer", "Sends a request and shows the answer; needs infer, and read for what is no whole request.", async (session, parsed, cancellationToken) =>
        {
            var files = new InputFiles(new PictureOptions(parsed.GetValue(whole), parsed.GetValue(unit)), session.Surroundings.Input);
            var path = Paths.Model(parsed.GetRequiredValue(model), parsed.GetValue(version));
            using var body = await RequestAsync(session.Client, path, parsed.GetRequiredValue(inputs), files, parsed.GetValue(classes), cancellationToken);
            Write(session.Output, await session.Client.PostAsync(path + "/infer", body, cancellationToken));
            return ExitCodes.Done;
        });
        command.Arguments.Add(model);
        command.Arguments.Add(inputs);
        foreach (var option in new Option[] { version, classes, whole, unit })
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static async Task<HttpContent> RequestAsync(ClusterClient client, string path, string[] inputs, InputFiles files, int? classes, CancellationToken cancellationToken)
    {
        // 1. A file may be the whole request: the model's metadata are not asked for then.
        if (inputs is [var only] && (!only.Contains('=', StringComparison.Ordinal) || File.Exists(only)) && await files.ReadJsonAsync(only, cancellationToken) is JsonObject request)
        {
            return new StringContent(request.ToJsonString(), Encoding.UTF8, "application/json");
        }

        // 2. Else each file is an input that the model has.
        var metadata = await client.GetAsync(path, cancellationToken);
        var specs = metadata.List("inputs").Select(ModelInputSpec.Of).ToList();
        var tensors = new List<InputTensor>();
        foreach (var input in inputs)
        {
            var (spec, file) = Find(specs, input);
            tensors.Add(await files.ReadAsync(spec, file, cancellationToken));
        }

        // 3. JSON, and behind it the bytes of those that are binary.
        var outputs = metadata.List("outputs").ToList();
        var isOfClasses = classes is not null || (inputs.Any(input => InputFiles.IsPicture(input)) && outputs.All(LooksLikeClasses));
        var document = new JsonObject { ["inputs"] = new JsonArray([.. tensors.Select(static tensor => tensor.ToJson())]) };
        if (isOfClasses)
        {
            document["outputs"] = new JsonArray([.. outputs.Select(output => new JsonObject
            {
                ["name"] = output.Text("name"),
                ["parameters"] = new JsonObject { ["classification"] = classes ?? DefaultClasses },
            })]);
        }

        return Body(document, tensors);
    }

    private static ByteArrayContent Body(JsonObject document, List<InputTensor> tensors)
    {
        var json = Encoding.UTF8.GetBytes(document.ToJsonString());
        using var body = new MemoryStream();
        body.Write(json);
        foreach (var tensor in tensors)
        {
            body.Write(tensor.Bytes.Span);
        }

        var content = new ByteArrayContent(body.ToArray());
        if (tensors.Exists(static tensor => tensor.Data is null))
        {
            content.Headers.Add("Inference-Header-Content-Length", json.Length.ToString(CultureInfo.InvariantCulture));
        }

        return content;
    }

    private static (ModelInputSpec Input, string File) Find(List<ModelInputSpec> specs, string given)
    {
        var names = string.Join(", ", specs.Select(static spec => spec.Name));
        for (var end = given.IndexOf('=', StringComparison.Ordinal); end >= 0; end = given.IndexOf('=', end + 1))
        {
            if (specs.Find(spec => spec.Name == given[..end]) is { } named)
            {
                return (named, given[(end + 1)..]);
            }
        }

        if (given.IndexOf('=', StringComparison.Ordinal) is > 0 and var first && !File.Exists(given))
        {
            throw CommandFailure.Usage($"the model has no input '{given[..first]}', expected {names}; and there is no file '{given}'");
        }

        return specs is [var only] ? (only, given) : throw CommandFailure.Usage($"'{given}' names no input, expected NAME={given} with one of {names}");
    }

    private static bool LooksLikeClasses(JsonNode output) => output.Text("datatype").StartsWith("FP", StringComparison.Ordinal) && output.List("shape").Count() <= 2;

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
