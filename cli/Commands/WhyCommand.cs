using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>why MODEL</c>: what placement thinks of each silo for one more replica.</summary>
internal static class WhyCommand
{
    private static readonly Column[] Columns =
    [
        new("VERSION", static row => row.Text("of")),
        new("SILO", static row => row.Text("silo")),
        new("FITS", static row => row.Is("fits") ? "yes" : "no"),
        new("CHOSEN FROM", static row => row.Is("candidate") ? "yes" : "no"),
        new("REASON", static row => row.Text("reason")),
    ];

    public static Command Create(Verbs verbs)
    {
        var model = new Argument<string>("MODEL");
        var command = verbs.Create("why", "Says what placement thinks of each silo for one more replica of a model; needs observe.", async (session, parsed, cancellationToken) =>
        {
            var placement = await session.Client.GetAsync(Paths.Placement(parsed.GetRequiredValue(model)), cancellationToken);
            session.Output.Write(placement, placement.List("versions").SelectMany(Rows), Columns);
            if (session.Output.IsForPeople)
            {
                foreach (var version in placement.List("versions"))
                {
                    session.Output.Line(Summary(placement.Text("model"), version));
                }
            }

            return ExitCodes.Done;
        });
        command.Arguments.Add(model);
        return command;
    }

    private static IEnumerable<JsonNode> Rows(JsonNode version) => version.List("silos").Select(silo =>
    {
        var row = silo.DeepClone();
        row["of"] = version.Text("version");
        return row;
    });

    private static string Summary(string model, JsonNode version)
    {
        var silos = version.List("silos").ToList();
        var need = $"model '{model}' version {version.Text("version")} is reckoned with {Fields.Bytes(version.Number("bytes"))} a replica";
        return version.Text("problem") is { Length: > 0 } problem
            ? $"{need}; it fits nowhere: {problem}"
            : $"{need}; one more fits on {silos.Count(static silo => silo.Is("fits"))} of {silos.Count} silos";
    }
}
