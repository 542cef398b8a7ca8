using System.Collections.Concurrent;

namespace Cluster.Unit.Runtime.Grains;

/// <summary>Counts the living activations of each key and keeps what went wrong.</summary>
internal sealed class StressWatch
{
    private readonly ConcurrentDictionary<string, int> _living = new();
    private int _activations;

    public ConcurrentQueue<string> Failures { get; } = new();

    public int Activations => _activations;

    public int Living => _living.Values.Sum();

    public void Activated(string key)
    {
        Interlocked.Increment(ref _activations);
        Expect(_living.AddOrUpdate(key, 1, static (_, count) => count + 1) == 1, "two activations of a key");
    }

    public void Ended(string key) => _living.AddOrUpdate(key, 0, static (_, count) => count - 1);

    public void Expect(bool holds, string otherwise)
    {
        if (!holds)
        {
            Failures.Enqueue(otherwise);
        }
    }
}
