using System.Collections.Concurrent;

namespace Cluster.Unit.Runtime;

/// <summary>Where grains of the tests tell what happens to them and wait for the tests, by names.</summary>
internal sealed class TestProbe
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _signals = new();
    private readonly ConcurrentQueue<string> _events = new();

    public string[] Events => [.. _events];

    /// <summary>Set by the test, awaited by a grain, or the other way round.</summary>
    public TaskCompletionSource Signal(string name) =>
        _signals.GetOrAdd(name, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Set(string name) => Signal(name).TrySetResult();

    public Task Reached(string name) => Signal(name).Task;

    public void Record(string what)
    {
        _events.Enqueue(what);
        Set(what);
    }
}
