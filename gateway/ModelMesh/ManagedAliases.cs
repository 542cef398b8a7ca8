using AliasStatus = Cluster.Contracts.Protocol.Mesh.VModelStatusInfo.Types.VModelStatus;
using Cluster.Contracts.Protocol.Mesh;
using Cluster.Contracts.Registry;
using Cluster.Contracts;
using Cluster.Gateway.Security;
using ModelStatus = Cluster.Contracts.Protocol.Mesh.ModelStatusInfo.Types.ModelStatus;

namespace Cluster.Gateway.ModelMesh;

/// <summary>What clients may do with aliases at run time.</summary>
internal sealed class ManagedAliases(IGrainFactory grains, IAliases aliases, ManagedModels models)
{
    /// <param name="loadNow">Whether the target is loaded even where the alias does not wait for it.</param>
    /// <param name="sync">Whether to wait for the load, or for the alias's move.</param>
    /// <exception cref="Contracts.Errors.ServingException">As <see cref="IAliasGrain.SetAsync"/>.</exception>
    public async Task<VModelStatusInfo> SetAsync(string alias, AliasChange change, bool loadNow, bool sync, CancellationToken cancellationToken)
    {
        var grain = grains.GetAlias(alias);
        var outcome = await grain.SetAsync(change).ConfigureAwait(false);
        var state = outcome.State;
        if (state.InTransition)
        {
            return sync
                ? await DescribeAsync(await grain.WaitAsync(state.Target, cancellationToken).ConfigureAwait(false)).ConfigureAwait(false)
                : await DescribeAsync(state).ConfigureAwait(false);
        }

        if (loadNow || outcome.ReplacedLoaded)
        {
            await models.LoadAsync(state.Active, sync, cancellationToken).ConfigureAwait(false);
        }

        return await DescribeAsync(state).ConfigureAwait(false);
    }

    /// <param name="owner">Null for any owner.</param>
    public ValueTask DeleteAsync(string alias, string? owner) => grains.GetAlias(alias).DeleteAsync(owner);

    /// <summary>NOT_FOUND for an unknown alias, or one of another owner.</summary>
    /// <param name="owner">Null for any owner.</param>
    public async Task<VModelStatusInfo> GetStatusAsync(string alias, string? owner)
    {
        var state = await grains.GetAlias(alias).GetAsync().ConfigureAwait(false);
        return await DescribeAsync(owner is null || owner == state?.Owner ? state : null).ConfigureAwait(false);
    }

    /// <summary>What this process knows of an alias; null for an unknown one.</summary>
    public async Task<VModelEntry?> FindAsync(string alias) =>
        aliases.TryGet(alias, out var state)
            ? new VModelEntry { VModelId = alias, Status = await DescribeAsync(state).ConfigureAwait(false) }
            : null;

    /// <summary>Every alias that this process knows, in the order of their ids.</summary>
    public List<AliasState> List() => [.. aliases.All.OrderBy(state => state.Alias, StringComparer.Ordinal)];

    private async Task<VModelStatusInfo> DescribeAsync(AliasState? state)
    {
        if (state is null)
        {
            return new VModelStatusInfo();
        }

        var info = new VModelStatusInfo
        {
            Status = state switch
            {
                { InTransition: false } => AliasStatus.Defined,
                { Failure: null } => AliasStatus.Transitioning,
                _ => AliasStatus.TransitionFailed,
            },
            ActiveModelId = state.Active,
            TargetModelId = state.Target,
            ActiveModelStatus = await models.GetStatusAsync(state.Active).ConfigureAwait(false),
            Owner = state.Owner ?? "",
        };
        if (state.InTransition)
        {
            info.TargetModelStatus = await models.GetStatusAsync(state.Target).ConfigureAwait(false);

            // Its load has been asked for, whether or not it has begun.
            if (state.Failure is null && info.TargetModelStatus.Status == ModelStatus.NotLoaded)
            {
                info.TargetModelStatus.Status = ModelStatus.Loading;
            }
        }

        return info;
    }
}

/// <summary>What a caller may see of an alias.</summary>
internal static class AliasView
{
    /// <summary>Leaves out names and states of models that the caller may not see.</summary>
    public static VModelStatusInfo For(this VModelStatusInfo status, Caller caller)
    {
        if (status.ActiveModelId.Length > 0 && !caller.May(Permission.Read, status.ActiveModelId))
        {
            (status.ActiveModelId, status.ActiveModelStatus) = ("", null);
        }

        if (status.TargetModelId.Length > 0 && !caller.May(Permission.Read, status.TargetModelId))
        {
            (status.TargetModelId, status.TargetModelStatus) = ("", null);
        }

        return status;
    }
}
