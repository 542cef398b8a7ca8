namespace Cluster.Runtime;

/// <summary>The state of one activation, kept in a storage.</summary>
internal sealed class PersistentState<TState>(Activation activation, IGrainStorage storage, string name) : IPersistentState<TState>
{
    private readonly GrainState<TState> _state = new();

    public TState State
    {
        get => _state.State;
        set => _state.State = value;
    }

    public string? Etag => _state.ETag;

    public bool RecordExists => _state.RecordExists;

    public Task ReadStateAsync() => storage.ReadStateAsync(name, activation.GrainId, _state);

    public Task WriteStateAsync() => GuardAsync(storage.WriteStateAsync(name, activation.GrainId, _state));

    public Task ClearStateAsync() => GuardAsync(storage.ClearStateAsync(name, activation.GrainId, _state));

    private async Task GuardAsync(Task operation)
    {
        try
        {
            await operation;
        }
        catch (InconsistentStateException exception)
        {
            // What this activation believes is stale: the next one reads anew.
            activation.Deactivate(new DeactivationReason(DeactivationReasonCode.ApplicationError, exception, $"state '{name}' was stored by somebody else"));
            throw;
        }
    }
}
