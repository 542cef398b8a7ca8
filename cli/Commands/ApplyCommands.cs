using System.CommandLine;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Manifests;
using Cluster.Contracts.Protocol.Mesh;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

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

/// <summary>Takes the steps of a plan.</summary>
/// <param name="wait">Whether loads are asked for, and waited for.</param>
/// <param name="prune">Whether the plan removes what the manifest does not name. An alias keeps its old model until it has moved, so moves are waited for then.</param>
internal sealed class ApplySteps(ClusterClient client, TimeProvider time, bool wait, bool prune)
{
    /// <summary>For a registration that is made again after the command's own time is over.</summary>
    private static readonly TimeSpan RestoreLimit = TimeSpan.FromSeconds(10);

    /// <exception cref="CommandFailure">The step failed.</exception>
    public Task TakeAsync(ManifestChange change, CancellationToken cancellationToken) => change switch
    {
        { Model: { } model } => RegisterAsync(change, model, cancellationToken),
        { Alias: { } alias } => MoveAsync(change, alias, cancellationToken),
        { Traffic: { } traffic } => TrafficCommands.SetAsync(client, change.Name, traffic.Rule, wait, cancellationToken),
        { What: ManifestChange.OfReplicas } => ScaleCommand.SetAsync(client, change.Name, change.Counts?.Least, change.Counts?.Most, cancellationToken),
        { What: ManifestChange.OfModel } => UnregisterAsync(change.Name, cancellationToken),
        { What: ManifestChange.OfTraffic } => client.PostAsync(Paths.Traffic(change.Name) + "/clear", null, cancellationToken),
        _ => client.CallAsync(client.Models.deleteVModelAsync(new DeleteVModelRequest { VModelId = change.Name }, cancellationToken: cancellationToken)),
    };

    private async Task RegisterAsync(ManifestChange change, ModelManifest model, CancellationToken cancellationToken)
    {
        switch (change)
        {
            case { Kind: ChangeKind.Add }:
                await RegisterAsync(change.Name, model.Info, loadNow: false, cancellationToken);
                break;
            case { Before: { } before }:
                await ReplaceAsync(before, model.Info, cancellationToken);
                break;
        }

        if (wait || change.Kind == ChangeKind.Retry)
        {
            var request = new EnsureLoadedRequest { ModelId = change.Name, Sync = wait };
            ModelStates.DemandLoadable(change.Name, await client.CallAsync(client.Models.ensureLoadedAsync(request, cancellationToken: cancellationToken)));
        }
    }

    /// <summary>Registers a model with other content. Where that fails, the model has its former content again.</summary>
    private async Task ReplaceAsync(ModelEntry before, ModelInfo info, CancellationToken cancellationToken)
    {
        var isGone = false;
        try
        {
            await UnregisterAsync(before.ModelId, cancellationToken);
            isGone = true;
            await RegisterAsync(before.ModelId, info, loadNow: false, cancellationToken);
        }
        catch (CommandFailure failure) when (isGone)
        {
            await RestoreAsync(before, failure);
            throw failure.Because($"{failure.Message}; model '{before.ModelId}' is registered with its former content");
        }
        catch (OperationCanceledException)
        {
            // The gateway may have unregistered it although its answer is not heard any more.
            await RestoreAsync(before, CommandFailure.Failed($"the command ended while model '{before.ModelId}' was registered anew"));
            throw;
        }
    }

    /// <exception cref="CommandFailure">The former content is not registered either.</exception>
    private async Task RestoreAsync(ModelEntry before, CommandFailure failure)
    {
        using var limit = new CancellationTokenSource(RestoreLimit, time);
        try
        {
            // Whether the new content was refused, or its answer was lost on the way.
            await UnregisterAsync(before.ModelId, limit.Token);
            await RegisterAsync(before.ModelId, before.ModelInfo, before.Status.Status is Status.Loading or Status.Loaded, limit.Token);
        }
        catch (Exception exception) when (exception is CommandFailure or OperationCanceledException)
        {
            var why = exception is CommandFailure ? exception.Message : $"no answer within {RestoreLimit.TotalSeconds:0} s";
            throw failure.Because($"{failure.Message}; its former content, {ManifestPlan.Words(before.ModelInfo)}, is not registered either: {why}");
        }
    }

    private async Task RegisterAsync(string model, ModelInfo info, bool loadNow, CancellationToken cancellationToken)
    {
        var request = new RegisterModelRequest { ModelId = model, ModelInfo = info, LoadNow = loadNow };
        await client.CallAsync(client.Models.registerModelAsync(request, cancellationToken: cancellationToken));
    }

    private async Task UnregisterAsync(string model, CancellationToken cancellationToken) =>
        await client.CallAsync(client.Models.unregisterModelAsync(new UnregisterModelRequest { ModelId = model }, cancellationToken: cancellationToken));

    private async Task MoveAsync(ManifestChange change, AliasManifest alias, CancellationToken cancellationToken)
    {
        var request = new SetVModelRequest
        {
            VModelId = change.Name,
            TargetModelId = alias.Target,
            Owner = alias.Owner,

            // Of two that change an alias at once, the later one is told. The target itself stands for an alias that is not there, or has it already.
            ExpectedTargetModelId = change.Kind == ChangeKind.Change ? change.From : alias.Target,
            LoadNow = wait,
            Sync = wait || prune || alias.Traffic is not null,
        };
        ModelStates.DemandMoving(change.Name, await client.CallAsync(client.Models.setVModelAsync(request, cancellationToken: cancellationToken)));
    }
}
