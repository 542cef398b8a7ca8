using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;

namespace Cluster.Grains.Models;

/// <summary>Keeps a model's state and tells it to gateways. Used in the turns of the model's grain alone.</summary>
internal sealed class ModelKeeper(string name, IPersistentState<ModelGrainState> stored, IServingStates states, ModelMetrics metrics, TimeProvider time)
{
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(1);

    private Task _writing = Task.CompletedTask;
    private bool _unwritten;
    private TaskCompletionSource _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when gateways are told next.</summary>
    public Task NextTold => _told.Task;

    public ModelGrainState State => stored.State;

    /// <summary>Sets the state at once, and writes it: one write after the other, as reports come between the steps of a change.</summary>
    public Task KeepAsync(ModelGrainState state)
    {
        stored.State = state;
        _unwritten = false;
        return _writing = WriteAsync(_writing);
    }

    /// <summary>As <see cref="KeepAsync"/>, for what a caller asked.</summary>
    /// <param name="undo">Takes what was asked out of the state again, where it cannot be written.</param>
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
        stored.State = state;
        _unwritten = true;
    }

    /// <summary>Writes what was only noted.</summary>
    public Task SaveAsync() => _unwritten ? KeepAsync(State) : Task.CompletedTask;

    public Task ClearAsync()
    {
        _unwritten = false;
        metrics.Forget(name);
        return stored.ClearStateAsync();
    }

    /// <summary>Tells gateways.</summary>
    /// <param name="cause">Why the versions that changed did, for people; empty where their state says it.</param>
    public void Tell(string cause = "")
    {
        states.TryGet(name, out var before);
        states.Publish(ServingTimes.Stamp(before, ModelPlan.Describe(name, State), time.GetUtcNow(), cause));
        Interlocked.Exchange(ref _told, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
        metrics.Copies(name, State.Loaded.Keys.Sum(version => ReplicaPlan.Serving(State, version).Length));
    }

    private async Task WriteAsync(Task before)
    {
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await stored.WriteStateAsync();
    }
}
