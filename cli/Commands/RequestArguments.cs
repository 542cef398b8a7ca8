using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Tensors;

namespace Cluster.Cli.Commands;

/// <summary>The model and the files that a request is made of, as <c>infer</c> and <c>bench</c> take them.</summary>
internal sealed class RequestArguments
{
    private const int DefaultClasses = 3;

    private readonly Argument<string> _model = new("MODEL");
    private readonly Argument<string[]> _inputs = new("INPUT")
    {
        Arity = ArgumentArity.OneOrMore,
        Description = "FILE, or NAME=FILE for the input of that name: a request or values as JSON, .npy, a picture; - is the standard input",
    };

    private readonly Option<string?> _version = new("--model-version") { HelpName = "VERSION", Description = "A version; else the server chooses" };
    private readonly Option<int?> _classes = new("--classes") { HelpName = "COUNT", Description = "Answer with the best classes [default: 3 for a picture]" };
    private readonly Option<bool> _whole = new("--whole-picture") { Description = "Take all of a picture, also where the input is of one digit" };
    private readonly Option<bool> _unit = new("--unit-values") { Description = "A picture's values are 0 to 1, not 0 to 255" };

    public void AddTo(Command command)
    {
        command.Arguments.Add(_model);
        command.Arguments.Add(_inputs);
        foreach (var option in new Option[] { _version, _classes, _whole, _unit })
        {
            command.Options.Add(option);
        }
    }

    /// <returns>Where to post the request, and its body.</returns>
    /// <exception cref="CommandFailure">A file is wrong, or the model is not there.</exception>
    public async Task<(string Path, HttpContent Body)> ReadAsync(Session session, ParseResult parsed, CancellationToken cancellationToken)
    {
        var files = new InputFiles(new PictureOptions(parsed.GetValue(_whole), parsed.GetValue(_unit)), session.Surroundings.Input);
        var path = Paths.Model(parsed.GetRequiredValue(_model), parsed.GetValue(_version));
        return (path + "/infer", await RequestAsync(session.Client, path, parsed.GetRequiredValue(_inputs), files, parsed.GetValue(_classes), cancellationToken));
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
        var required = metadata.List("inputs").Select(ModelInputSpec.Of).ToList();
        var all = await NameableAsync(client, path, required, inputs, cancellationToken);
        var tensors = new List<InputTensor>();
        foreach (var input in inputs)
        {
            var (spec, file) = Find(required, all, input);
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

    /// <summary>The inputs that may be named. Those with a default are in the configuration alone, which is asked for where a name is none of the others.</summary>
    private static async Task<List<ModelInputSpec>> NameableAsync(
        ClusterClient client, string path, List<ModelInputSpec> required, string[] given, CancellationToken cancellationToken)
    {
        if (!Array.Exists(given, input => IsNamed(input) && Named(required, input) is null))
        {
            return required;
        }

        var config = await client.GetAsync(path + "/config", cancellationToken);
        return [.. required, .. config.List("input").Where(static input => input.Is("optional")).Select(ModelInputSpec.OfConfig)];
    }

    private static (ModelInputSpec Input, string File) Find(List<ModelInputSpec> required, List<ModelInputSpec> all, string given)
    {
        if (Named(all, given) is { } named)
        {
            return named;
        }

        var names = string.Join(", ", all.Select(static spec => spec.Name));
        if (IsNamed(given))
        {
            throw CommandFailure.Usage($"the model has no input '{given[..given.IndexOf('=', StringComparison.Ordinal)]}', expected {names}; and there is no file '{given}'");
        }

        return required is [var only] ? (only, given) : throw CommandFailure.Usage($"'{given}' names no input, expected NAME={given} with one of {names}");
    }

    private static bool IsNamed(string given) => given.IndexOf('=', StringComparison.Ordinal) > 0 && !File.Exists(given);

    /// <summary>The input whose name is before an equals sign, and what is behind that.</summary>
    private static (ModelInputSpec Input, string File)? Named(List<ModelInputSpec> specs, string given)
    {
        for (var end = given.IndexOf('=', StringComparison.Ordinal); end >= 0; end = given.IndexOf('=', end + 1))
        {
            if (specs.Find(spec => spec.Name == given[..end]) is { } named)
            {
                return (named, given[(end + 1)..]);
            }
        }

        return null;
    }

    private static bool LooksLikeClasses(JsonNode output) => output.Text("datatype").StartsWith("FP", StringComparison.Ordinal) && output.List("shape").Count() <= 2;
}
