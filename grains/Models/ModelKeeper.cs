using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>Keeps a model's state and tells it to gateways. Used in the turns of the model's grain alone.</summary>
internal sealed class ModelKeeper(string name, IPersistentState<ModelGrainState> stored, IServingStates states, ModelMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(1);

    private Task _writing = Task.CompletedTask;
    private readonly Dictionary<long, string> _downloads = [];
    private bool _unwritten;
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends at the next publication to gateways.</summary>
    public Task NextTold => _told.Task;

    /// <summary>The model's.</summary>
    public string Name => name;

    public ModelGrainState State => stored.State;

    /// <summary>Sets the state at once, and writes it: one write after the other, as reports come between the steps of a change.</summary>
    public Task KeepAsync(ModelGrainState state)
    {
        stored.State = state;
        _unwritten = false;
        return _writing = WriteAsync(_writing);
    }

    /// <summary>As <see cref="KeepAsync"/>, for what a caller asked.</summary>
    /// <param name="undo">Takes the request out of the state again, where the state cannot be written.</param>
    /// <exception cref="ServingException">UNAVAILABLE, with the cause: the store is away or refuses the write, which no other silo would change.</exception>
    public async Task KeepAskedAsync(ModelGrainState state, Func<ModelGrainState, ModelGrainState>? undo = null)
    {
        try
        {
            await KeepAsync(state);
        }
        catch (SiloUnavailableException exception)
        {
            Note(undo is null ? State : undo(State));
            throw new ServingException(Failure.Unavailable(exception.Message, StoreRetry), exception);
        }
    }

    /// <summary>Sets the state; it is written with the next one, or by <see cref="SaveAsync"/>.</summary>
    public void Note(ModelGrainState state)
    {
        _unwritten |= !ReferenceEquals(stored.State, state);
        stored.State = state;
    }

    /// <summary>Writes changes that were only noted.</summary>
    public Task SaveAsync() => _unwritten ? KeepAsync(State) : Task.CompletedTask;

    /// <summary>As <see cref="SaveAsync"/>, for what a caller asked.</summary>
    /// <exception cref="ServingException">As <see cref="KeepAskedAsync"/>.</exception>
    public Task SaveAskedAsync() => _unwritten ? KeepAskedAsync(State) : Task.CompletedTask;

    public Task ClearAsync()
    {
        _unwritten = false;
        metrics.Forget(name);
        return stored.ClearStateAsync();
    }

    /// <summary>Tells gateways how far a version's download is, until it is not being loaded any more.</summary>
    public void TellDownload(long version, string reason)
    {
        _downloads[version] = reason;
        Tell();
    }

    /// <summary>Tells gateways.</summary>
    /// <param name="cause">Why the versions that changed did, for people; empty where their state says it.</param>
    public void Tell(string cause = "")
    {
        states.TryGet(name, out var before);
        states.Publish(ServingTimes.Stamp(before, WithDownloads(ModelPlan.Describe(name, State)), time.GetUtcNow(), cause));
        Interlocked.Exchange(ref _told, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        metrics.Copies(name, State.Loaded.Keys.Sum(version => ReplicaPlan.Serving(State, version).Length));
    }

    /// <summary>Tells gateways where what they know names other replicas than serve.</summary>
    public void TellAgain()
    {
        var known = states.TryGet(name, out var published) ? published.Versions : [];
        if (known.Any(version => !version.Replicas.SequenceEqual(ReplicaPlan.Serving(State, version.Version))))
        {
            Tell();
        }
    }

    private ModelServingState WithDownloads(ModelServingState state)
    {
        foreach (var ended in _downloads.Keys.Where(version => !state.Versions.Any(known => known.Version == version && known.Arriving.Length > 0)).ToList())
        {
            _downloads.Remove(ended);
        }

        return _downloads.Count == 0
            ? state
            : state with
            {
                Versions = [.. state.Versions.Select(version => version.State == ModelVersionState.Loading && version.Reason.Length == 0 && _downloads.TryGetValue(version.Version, out var reason)
                    ? version with { Reason = reason }
                    : version)],
            };
    }

    private async Task WriteAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            _unwritten = true;
            throw;
        }
    }
}

/// <summary>Since when each version is as it is, and why.</summary>
internal static class ServingTimes
{
    /// <summary>What changed since <paramref name="before"/> is of <paramref name="now"/>; the rest keeps its time.</summary>
    /// <param name="cause">Why; empty where the state itself says it.</param>
    public static ModelServingState Stamp(ModelServingState? before, ModelServingState state, DateTimeOffset now, string cause = "") =>
        state with
        {
            Versions =
            [
                .. state.Versions.Select(version =>
                {
                    var last = before?.Versions.FirstOrDefault(entry => entry.Version == version.Version);
                    return last is not null && IsSame(last, version) ? version with { Since = last.Since, Cause = last.Cause } : version with { Since = now, Cause = cause };
                }),
            ],
        };

    private static bool IsSame(VersionServingState left, VersionServingState right) =>
        left.State == right.State
        && left.Failed == right.Failed
        && left.Reason == right.Reason
        && left.Replicas.AsSpan().SequenceEqual(right.Replicas.AsSpan());
}
