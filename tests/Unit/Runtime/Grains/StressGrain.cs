namespace Cluster.Unit.Runtime.Grains;

/// <summary>Watches that there is one activation a key, one request at a time but for the interleaved, and one turn at a time.</summary>
internal sealed class StressGrain(StressWatch watch) : Grain, IStressGrain, IAsyncDisposable
{
    private int _turns;
    private int _requests;
    private bool _isActive;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        watch.Activated(this.GetPrimaryKeyString());
        await Task.Yield();
        _isActive = true;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        _isActive = false;
        watch.Expect(_requests == 0, "deactivated while a request runs");
        await Task.Yield();
    }

    public Task<int> Synchronous(int value)
    {
        BeginRequest();
        EndRequest();
        return Task.FromResult(value);
    }

    public async ValueTask<int> Later(int value, CancellationToken cancellationToken)
    {
        BeginRequest();
        await Task.Yield();
        Turn();
        EndRequest();
        return value;
    }

    public async Task<int> AndDeactivate(int value)
    {
        BeginRequest();
        DeactivateOnIdle();
        await Task.Yield();
        EndRequest();
        return value;
    }

    public async Task<int> Interleaved(int value)
    {
        Turn();
        await Task.Yield();
        Turn();
        return value;
    }

    public async Task<int> CallOther(string key, int value)
    {
        BeginRequest();
        var answer = await GrainFactory.GetGrain<IStressGrain>(key).Synchronous(value);
        Turn();
        EndRequest();
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        await Task.Yield();
        watch.Ended(this.GetPrimaryKeyString());
    }

    private void BeginRequest()
    {
        Turn();
        watch.Expect(++_requests == 1, "two requests at a time");
    }

    private void EndRequest()
    {
        _requests--;
        Turn();
    }

    private void Turn()
    {
        watch.Expect(_isActive, "a request outside of the activation's life");
        watch.Expect(Interlocked.Increment(ref _turns) == 1, "two turns at a time");
        Thread.SpinWait(20);
        Interlocked.Decrement(ref _turns);
    }
}
