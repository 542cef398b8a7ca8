using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;

namespace Cluster.Cli.Commands;

/// <summary><c>describe model NAME</c>: all there is to tell of one model.</summary>
internal static class DescribeCommand
{
    private static readonly Column[] Tensors =
    [
        new("", static row => row.Text("way")),
        new("TENSOR", static row => row.Text("name")),
        new("TYPE", static row => row.Text("datatype")),
        new("SHAPE", static row => $"[{string.Join(", ", row.List("shape"))}]"),
    ];

    private static readonly Column[] Replicas =
    [
        new("REPLICA", static row => $"{row.Text("of")}/{row.Text("copy")}"),
        new("STATE", static row => row.Text("state")),
        new("SILO", static row => row.Text("silo")),
        new("MEMORY", static row => Fields.Bytes(row.Number("bytes"))),
        new("IDLE", static row => Fields.Duration(row.Number("idle_seconds"))),
        new("RUNNING", static row => row.Text("running") is { Length: > 0 } running ? $"{running} of {row.Text("concurrency")}" : ""),
        new("WAITING", static row => row.Text("waiting")),
        new("REQ/S", static row => Fields.Short(row.Number("requests_per_second"))),
        new("P50 MS", static row => Fields.Short(row.Number("run_p50_ms"))),
        new("P99 MS", static row => Fields.Short(row.Number("run_p99_ms"))),
    ];

    public static Command Create(Verbs verbs)
    {
        var name = new Argument<string>("NAME");
        var command = verbs.Create("model", "Its tensors, versions, replicas and aliases; needs observe, and read for the model.", async (session, parsed, cancellationToken) =>
        {
            var model = parsed.GetRequiredValue(name);
            var cluster = await session.Client.GetAsync(Paths.Cluster, cancellationToken);
            var known = cluster.List("models").FirstOrDefault(entry => entry.Text("name") == model)
                ?? throw CommandFailure.Failed($"model '{model}' is not found, or not to be read by this client");
            var registered = (await RegistryLists.ModelsAsync(session.Client, model, cancellationToken)).Find(entry => entry.ModelId == model)?.ToJson();
            // What does not serve has no metadata; its states say why.
            var serves = await session.Client.IsReadyAsync(Paths.Model(model) + "/ready", cancellationToken);
            var metadata = serves ? await session.Client.GetAsync(Paths.Model(model), cancellationToken) : null;
            var document = new JsonObject { ["model"] = known.DeepClone(), ["metadata"] = metadata?.DeepClone(), ["registration"] = registered?.DeepClone() };
            if (session.Output.IsForPeople)
            {
                Write(session.Output, known, metadata, registered);
            }
            else
            {
                session.Output.Document(document);
            }

            return ExitCodes.Done;
        });
        command.Arguments.Add(name);
        return new Command("describe", "Tells all there is of one thing.") { command };
    }

    private static void Write(Printer output, JsonNode model, JsonNode? metadata, JsonNode? registered)
    {
        output.Line($"Model     {model.Text("name")}{(metadata.Text("platform") is { Length: > 0 } platform ? $" ({platform})" : "")}");
        if (registered is not null)
        {
            var info = registered["modelInfo"];
            output.Line($"Origin    {registered.Text("origin")}{(info is null ? "" : $", {info.Text("type")} {info.Text("path")} {info.Text("key")}".TrimEnd())}");
            output.Line($"Aliases   {(registered.List("vModelIds").ToList() is { Count: > 0 } aliases ? string.Join(", ", aliases) : "none")}");
        }

        if (model["scaled"] is { } scaled)
        {
            output.Line($"Scaled    {ScaleCommand.Words(scaled.Number("min_copies"), scaled.Number("max_copies"))}");
        }

        output.Line("");
        if (metadata is not null)
        {
            output.Write(metadata, [.. metadata.List("inputs").Select(static tensor => Marked(tensor, "way", "input")), .. metadata.List("outputs").Select(static tensor => Marked(tensor, "way", "output"))], Tensors);
            output.Line("");
        }

        output.Write(model, ClusterRows.OfVersions([model]), ClusterRows.Models);
        output.Line("");
        output.Write(model, model.List("versions").SelectMany(static version => version.List("copies").Select(replica => Marked(replica, "of", version.Text("version")))), Replicas);
    }

    private static JsonNode Marked(JsonNode node, string name, string value)
    {
        var marked = node.DeepClone();
        marked[name] = value;
        return marked;
    }
}
