using Microsoft.ML.OnnxRuntime;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>Ends a run of several requests between two operators once all their callers have given up. It watches one of them at a time, so that a run costs one registration.</summary>
/// <param name="run">Terminated then; not touched any more after <see cref="Dispose"/>.</param>
internal sealed class LastCaller(IReadOnlyList<CancellationToken> callers, RunOptions run) : IDisposable
{
    private readonly Lock _lock = new();
    private CancellationTokenRegistration _watched;
    private int _next;
    private bool _disposed;

    /// <summary>Watches the next caller that has not given up.</summary>
    public void Watch()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            while (_next < callers.Count && callers[_next].IsCancellationRequested)
            {
                _next++;
            }

            if (_next == callers.Count)
            {
                run.Terminate = true;
                return;
            }

            // A token that ends just now calls back from within, and has gone on from there.
            var at = _next;
            var watched = callers[at].UnsafeRegister(static caller => ((LastCaller)caller!).Watch(), this);
            _watched = _next == at ? watched : _watched;
        }
    }

    /// <summary>No callback touches the run after this.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        _watched.Dispose();
    }
}
