using System.Collections.Concurrent;

namespace Cluster.Grains.Workers;

/// <summary>
/// A thread that does for yielding ones what must not yield. A thread that a nice one starts is nice for good too, and to queue work to
/// the thread pool may start one there. Safe from any thread.
/// </summary>
internal sealed class PromptThread : IDisposable
{
    private readonly BlockingCollection<Action> _actions = [];
    private readonly Thread _thread;
    private bool _isDisposed;

    /// <summary>Called by a thread that does not yield.</summary>
    public PromptThread()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "inference prompt" };
        _thread.Start();
    }

    /// <summary>Has <paramref name="action"/> done soon. It must not throw, nor wait for another.</summary>
    public void Post(Action action) => _actions.Add(action);

    /// <summary>Does the posted work, and ends the thread. A second call does nothing: a silo ends its workers when it stops, and again when its services go.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        _actions.CompleteAdding();
        _thread.Join();
        _actions.Dispose();
    }

    private void Run()
    {
        foreach (var action in _actions.GetConsumingEnumerable())
        {
            action();
        }
    }
}
