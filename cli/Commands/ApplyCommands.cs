using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Manifests;

namespace Cluster.Cli.Commands;

/// <summary><c>apply -f FILE</c> makes registrations and aliases what a file says; <c>diff -f FILE</c> shows what that would change.</summary>
internal static class ApplyCommands
{
    private static readonly Column[] Columns =
    [
        new("CHANGE", static row => row.Text("change")),
        new("WHAT", static row => row.Text("what")),
        new("NAME", static row => row.Text("name")),
        new("FROM", static row => row.Text("from")),
        new("TO", static row => row.Text("to")),
    ];

    public static Command CreateApply(Verbs verbs)
    {
        var (file, prune) = Options();
        var wait = new Option<bool>("--wait") { Description = "Load what is registered or moved to, and wait until that has succeeded or failed" };
        var command = verbs.Create("apply", "Makes registrations and aliases what a file says; needs manage and read for them.", async (session, parsed, cancellationToken) =>
        {
            var (waits, prunes) = (parsed.GetValue(wait), parsed.GetValue(prune));
            var changes = await PlanAsync(session.Client, parsed.GetRequiredValue(file), prunes, waits, cancellationToken);
            var steps = new ApplySteps(session.Client, session.Surroundings.Time, waits, prunes);
            foreach (var change in changes)
            {
                await steps.TakeAsync(change, cancellationToken);
                if (session.Output.IsForPeople)
                {
                    session.Output.Line($"{change.What} '{change.Name}': {Done(change.Kind)}");
                }
            }

            Show(session.Output, changes, "nothing to change");
            return ExitCodes.Done;
        });
        command.Options.Add(file);
        command.Options.Add(prune);
        command.Options.Add(wait);
        return command;
    }

    public static Command CreateDiff(Verbs verbs)
    {
        var (file, prune) = Options();
        var command = verbs.Create("diff", "Shows what apply would change; exit code 1 if anything.", async (session, parsed, cancellationToken) =>
        {
            var changes = await PlanAsync(session.Client, parsed.GetRequiredValue(file), parsed.GetValue(prune), wait: false, cancellationToken);
            if (session.Output.IsForPeople && changes.Count > 0)
            {
                session.Output.Write(new JsonArray(), changes.Select(static change => change.ToJson()), Columns);
            }

            Show(session.Output, changes, "nothing would change");
            return changes.Count > 0 ? ExitCodes.Failed : ExitCodes.Done;
        });
        command.Options.Add(file);
        command.Options.Add(prune);
        return command;
    }

    private static (Option<string> File, Option<bool> Prune) Options() => (
        new Option<string>("--file", "-f") { Required = true, HelpName = "FILE", Description = "YAML or JSON with models and aliases" },
        new Option<bool>("--prune") { Description = "Remove registrations and aliases that the file does not name; wait for moves of aliases, as those keep their old models until then" });

    private static void Show(Printer output, List<ManifestChange> changes, string none)
    {
        if (!output.IsForPeople)
        {
            output.Document(new JsonArray([.. changes.Select(static change => change.ToJson())]));
        }
        else if (changes.Count == 0)
        {
            output.Line(none);
        }
    }

    private static string Done(ChangeKind kind) => kind switch
    {
        ChangeKind.Add => "added",
        ChangeKind.Change => "changed",
        ChangeKind.Retry => "tried again",
        _ => "removed",
    };

    private static async Task<List<ManifestChange>> PlanAsync(ClusterClient client, string file, bool prune, bool wait, CancellationToken cancellationToken)
    {
        var manifest = ClusterManifest.Read(file);
        return ManifestPlan.Of(
            manifest,
            await RegistryLists.ModelsAsync(client, "", cancellationToken),
            await RegistryLists.AliasesAsync(client, cancellationToken),
            await RegistryLists.TrafficAsync(client, cancellationToken),
            prune,
            wait);
    }
}
