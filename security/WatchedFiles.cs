using Microsoft.Extensions.Logging;

namespace Cluster.Security;

/// <summary>
/// Looks once a second whether files have changed, and has what was read from them read anew. A look compares length, times and the place that all links on
/// the way lead to, so that a folder that is swapped behind a link, as Kubernetes does it, is seen.
/// </summary>
public sealed class WatchedFiles : IDisposable
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly IReadOnlyList<string> _paths;
    private readonly Action _changed;
    private readonly ILogger _logger;
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
            // Before they are read: what is written meanwhile is seen by the next look.
            _seen = now;
            TryRead(string.Join(", ", changed));
        }

        if (!_disposed)
        {
            _timer.Change(Interval, Timeout.InfiniteTimeSpan);
        }
    }

    private void TryRead(string changed)
    {
        try
        {
            _changed();
            Log.FilesTaken(_logger, changed);
        }
        catch (Exception exception)
        {
            // Whatever is wrong with the files, what was read before stays in force.
            Log.FilesRefused(_logger, changed, exception.Message);
        }
    }

    private FileMark[] Look() => [.. _paths.Select(FileMark.Of)];
}
