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

/// <summary>What tells one content of a file from the next, without reading it.</summary>
/// <param name="Path">Where all links on the way lead to.</param>
/// <param name="Created">Another for another file of the same name.</param>
internal readonly record struct FileMark(string? Path, long Length, DateTime Written, DateTime Created)
{
    /// <summary>As many as Linux follows.</summary>
    private const int MaxLinks = 40;

    /// <returns>The mark of no file where there is none, or none that can be looked at.</returns>
    public static FileMark Of(string path)
    {
        try
        {
            var file = new FileInfo(Resolve(System.IO.Path.GetFullPath(path)));
            return file.Exists ? new FileMark(file.FullName, file.Length, file.LastWriteTimeUtc, file.CreationTimeUtc) : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return default;
        }
    }

    /// <summary>Follows the links of each folder on the way: the system's own call follows those of the last name alone.</summary>
    private static string Resolve(string path)
    {
        var links = 0;
        for (var end = path.IndexOf('/', 1); ; end = path.IndexOf('/', end + 1))
        {
            var part = end < 0 ? path : path[..end];
            if (new FileInfo(part).LinkTarget is { } target)
            {
                if (++links > MaxLinks)
                {
                    throw new IOException("too many links");
                }

                path = System.IO.Path.GetFullPath(target, System.IO.Path.GetDirectoryName(part) ?? "/") + (end < 0 ? "" : path[end..]);
                end = 0;
            }
            else if (end < 0)
            {
                return path;
            }
        }
    }
}

/// <summary>Log messages of certificates and whom they are trusted by. Event ids 5000–5019.</summary>
internal static partial class Log
{
    [LoggerMessage(5000, LogLevel.Information, "Read changed files: {Files}")]
    public static partial void FilesTaken(ILogger logger, string files);

    [LoggerMessage(5001, LogLevel.Error, "Kept what was read before, as changed files ({Files}) cannot be used: {Reason}")]
    public static partial void FilesRefused(ILogger logger, string files, string reason);
}
