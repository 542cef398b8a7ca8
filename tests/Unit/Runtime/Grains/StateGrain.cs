namespace Cluster.Unit.Runtime.Grains;

internal sealed class StateGrain(
    [PersistentState("count", "memory")] IPersistentState<CountState> count,
    TestProbe probe,
    IGrainContext context,
    [PersistentState("other")] IPersistentState<CountState> other) : Grain, IStateGrain
{
    private int _atActivation;

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _atActivation = count.State.Value;
        probe.Record($"activated {context.GrainId} with {_atActivation}");
        return Task.CompletedTask;
    }

    public Task<int> Get() => Task.FromResult(count.State.Value);

    public Task Set(int value, bool write)
    {
        count.State.Value = value;
        return write ? count.WriteStateAsync() : Task.CompletedTask;
    }

    public async Task<string> SetOther(string value)
    {
        other.State.Value = value.Length;
        await other.WriteStateAsync();
        return $"{count.State.Value} {other.State.Value} {count.RecordExists} {other.RecordExists}";
    }

    public Task Clear() => count.ClearStateAsync();

    public Task<bool> Exists() => Task.FromResult(count.RecordExists);

    public Task Deactivate()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
