using Cluster.Contracts.Models;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>Brings a model from what serves to what should, step by step. Used in the turns of the model's grain alone, one change at a time.</summary>
internal sealed class ModelChange(string model, ModelServices services, ModelKeeper keeper, CopyWork work, ScalingDesk scaling, ILogger logger)
{
    private readonly HashSet<long> _reload = [];

    private ModelGrainState State => keeper.State;

    /// <summary>Versions to load again with the next change, though nobody asks for them.</summary>
    public void Reload(IEnumerable<long> versions) => _reload.UnionWith(versions);

    /// <summary>Loads what should serve, then ends what should not: nothing ends before its successor is ready. Then mends the number of copies.</summary>
    /// <returns>When to try again what found no room, or null.</returns>
    public async Task<TimeSpan?> CarryOutAsync()
    {
        services.Registrations.Publish(State.Registration!);
        await EndLeftoversAsync();
        keeper.Note(FailurePlan.Forget(State, services.Time.GetUtcNow(), services.CacheOptions.FailureMemory, services.CopyOptions));
        var retry = await LoadAsync();
        foreach (var (version, loaded) in ModelPlan.ToUnload(State).ToList())
        {
            await keeper.KeepAsync(CopyPlan.End(State, version));
            keeper.Tell();
            await work.EndAsync(version, loaded.Copies);
        }

        await MendAsync();
        keeper.Tell();
        return retry;
    }

    /// <summary>Whether what a version serves with is not what it should.</summary>
    public bool IsDue(long version) =>
        State.Registration?.Versions.FirstOrDefault(candidate => candidate.Version == version) is { } source
        && State.Loaded.ContainsKey(version)
        && (!ModelPlan.IsCurrent(State, version) || IsShort(source));

    private bool IsShort(ModelVersionSource source) =>
        CopyPlan.InMemory(State, source.Version) is { IsEmpty: false } have
        && have.Length < ModelPlan.WantedCopies(State, source.Version, work.Eligible(source));

    private async Task<TimeSpan?> LoadAsync()
    {
        TimeSpan? retry = null;
        var postponed = new HashSet<long>();
        while (ModelPlan.NextLoad(State, postponed) is { } source)
        {
            if (await work.LoadContentAsync(source) is var (wait, reason))
            {
                postponed.Add(source.Version);
                retry = retry < wait ? retry : wait;
                Log.ReplacementWaits(logger, model, source.Version, wait.TotalSeconds, reason);
            }
        }

        return retry;
    }

    /// <summary>Copies that were being loaded when the grain was lost: nobody waits for them.</summary>
    private async Task EndLeftoversAsync()
    {
        foreach (var (version, copies) in State.Arriving)
        {
            await keeper.KeepAsync(CopyPlan.GiveUp(State, version, copies));
            keeper.Tell();
            await work.EndAsync(version, copies);
        }
    }

    private async Task MendAsync()
    {
        foreach (var version in _reload.ToList())
        {
            _reload.Remove(version);
            await work.ReloadAsync(version);
        }

        foreach (var version in State.Loaded.Keys)
        {
            var decision = scaling.Decided(version);
            await work.AdjustAsync(version, decision.Remove, decision.Cause);
        }
    }
}
