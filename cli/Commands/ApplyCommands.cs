using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Manifests;
using Cluster.Contracts.Protocol.Mesh;

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
            var changes = await PlanAsync(session.Client, parsed.GetRequiredValue(file), parsed.GetValue(prune), cancellationToken);
            foreach (var change in changes)
            {
                await CarryOutAsync(session.Client, change, parsed.GetValue(wait), cancellationToken);
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
            var changes = await PlanAsync(session.Client, parsed.GetRequiredValue(file), parsed.GetValue(prune), cancellationToken);
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
        new Option<bool>("--prune") { Description = "Remove registrations and aliases that the file does not name" });

    private static void Show(Printer output, List<Change> changes, string none)
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
        _ => "removed",
    };

    private static async Task<List<Change>> PlanAsync(ClusterClient client, string file, bool prune, CancellationToken cancellationToken)
    {
        var manifest = Manifest.Read(file);
        return ManifestPlan.Of(
            manifest,
            await RegistryLists.ModelsAsync(client, "", cancellationToken),
            await RegistryLists.AliasesAsync(client, cancellationToken),
            await RegistryLists.TrafficAsync(client, cancellationToken),
            prune);
    }

    private static async Task CarryOutAsync(ClusterClient client, Change change, bool wait, CancellationToken cancellationToken)
    {
        var (kind, name, calls) = (change.Kind, change.Name, client.Models);
        if (change.What == Change.OfModel && kind != ChangeKind.Add)
        {
            await client.CallAsync(calls.unregisterModelAsync(new UnregisterModelRequest { ModelId = name }, cancellationToken: cancellationToken));
        }

        if (change.Model is { } model)
        {
            var request = new RegisterModelRequest { ModelId = name, ModelInfo = model.Info, LoadNow = wait, Sync = wait };
            ModelStates.DemandLoadable(name, await client.CallAsync(calls.registerModelAsync(request, cancellationToken: cancellationToken)));
        }
        else if (change.Alias is { } alias)
        {
            // Of two that change an alias at once, the later one is told.
            var request = new SetVModelRequest
            {
                VModelId = name,
                TargetModelId = alias.Target,
                Owner = alias.Owner,
                ExpectedTargetModelId = change.From,
                LoadNow = wait,
                Sync = wait || alias.Traffic is not null,
            };
            ModelStates.DemandMoving(name, await client.CallAsync(calls.setVModelAsync(request, cancellationToken: cancellationToken)));
        }
        else if (change.Traffic is { } traffic)
        {
            await TrafficCommands.SetAsync(client, name, traffic.Rule, wait, cancellationToken);
        }
        else if (change.What == Change.OfTraffic)
        {
            await client.PostAsync(Paths.Traffic(name) + "/clear", null, cancellationToken);
        }
        else if (change.What == Change.OfAlias)
        {
            await client.CallAsync(calls.deleteVModelAsync(new DeleteVModelRequest { VModelId = name }, cancellationToken: cancellationToken));
        }
    }
}
