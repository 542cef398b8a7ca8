using Cluster.Cli.Connection;
using Cluster.Cli.Manifests;
using Cluster.Contracts.Protocol.Mesh;
using Status = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Cli.Commands;

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
