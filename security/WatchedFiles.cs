using Cluster.Contracts.Logging;
using Microsoft.Extensions.Logging;

namespace Cluster.Security;

/// <summary>
/// Looks once a second whether files have changed, and has them read again. A look compares length, times and the place that all links on the way lead to. So it
/// notices a folder that is swapped behind a link, as Kubernetes does it.
/// </summary>
public sealed class WatchedFiles : IDisposable
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<string> _paths;
    private readonly Action _changed;
    private readonly ILogger _logger;
    private readonly CauseLimiter _refusals;
    private readonly ITimer _timer;
    private FileMark[] _seen;
    private volatile bool _disposed;

    /// <param name="paths">Files that need not exist.</param>
    /// <param name="changed">
    /// Reads them; called once after each change that follows this constructor, one call at a time. Where it throws, its caller keeps what it had and the log names the files.
    /// </param>
    public WatchedFiles(IReadOnlyList<string> paths, Action changed, TimeProvider time, ILogger logger)
    {
        _paths = paths;
        _changed = changed;
        _logger = logger;
        _refusals = new CauseLimiter(time);
        _seen = Look();
        _timer = time.CreateTimer(static files => ((WatchedFiles)files!).Tick(), this, Interval, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _disposed = true;
        _timer.Dispose();
    }

    private void Tick()
    {
        var now = Look();
        var changed = _paths.Where((_, index) => now[index] != _seen[index]).ToList();
        if (changed.Count > 0)
        {
            // The look from before the reading: what is written meanwhile is seen by the next one. What cannot be read is tried again, since it may have had another cause.
            _seen = TryRead(string.Join(", ", changed)) ? now : _seen;
        }

        if (!_disposed)
        {
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private bool TryRead(string changed)
    {
        try
        {
            _changed();
            Log.FilesTaken(_logger, changed);
            return true;
        }
        catch (Exception exception)
        {
            // With any mistake in the files, the former content stays in force.
            if (_refusals.TryPass(exception.Message, out _))
            {
                Log.FilesRefused(_logger, changed, exception.Message);
            }

            return false;
        }
    }

    private FileMark[] Look() => [.. _paths.Select(FileMark.Of)];
}
