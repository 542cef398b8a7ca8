namespace Cluster.Unit.Runtime.Grains;

[Reentrant]
internal sealed class ReentrantWorkGrain(TestProbe probe) : WorkGrain(probe), IReentrantWorkGrain
{
    private int _turns;
    private int _count;

    public async Task<int> Count()
    {
        Enter();
        Leave();
        await Task.Yield();
        Enter();
        var result = ++_count;
        Leave();
        return result;
    }

    private void Enter()
    {
        if (Interlocked.Increment(ref _turns) != 1)
        {
            throw new InvalidOperationException("two turns at a time");
        }
    }

    private void Leave() => Interlocked.Decrement(ref _turns);
}
