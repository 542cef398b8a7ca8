using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Cluster.Grains.Workers;
using Cluster.Silo.Options;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Hosting;

/// <summary>Has a stop end. A run that never returns cannot be stopped by another thread, and would keep the process: it ends with the process.</summary>
internal sealed partial class StopLimit : IDisposable
{
    private const int StopFailed = 1;

    /// <summary>Time beyond the stop time, as abandoned work takes a moment to end, longer on a busy machine.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>For the last log line, which must not keep the process either.</summary>
    private static readonly TimeSpan MaxTelling = TimeSpan.FromSeconds(2);

    private readonly TaskCompletionSource _ended = new();
    private readonly CancellationTokenRegistration _stopping;
    private readonly InferenceWorkers? _workers;
    private readonly List<ILoggerProvider> _logs;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly Lock _gate = new();
    private long _begun;
    private int _hasBegun;

    /// <param name="options">Validated.</param>
    public StopLimit(WebApplication app, ServeOptions options)
    {
        _workers = app.Services.GetService<InferenceWorkers>();
        _logs = [.. app.Services.GetServices<ILoggerProvider>()];
        _logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Cluster.Silo");
        _time = app.Services.GetRequiredService<TimeProvider>();
        _limit = TimeSpan.FromSeconds(options.StopSeconds);
        _begun = _time.GetTimestamp();
        _stopping = app.Lifetime.ApplicationStopping.Register(Begin);
    }

    /// <summary>The stop begins now, of the host or of the parts that a failed start has begun. A second call does nothing.</summary>
    public void Begin()
    {
        if (Interlocked.Exchange(ref _hasBegun, 1) != 0)
        {
            return;
        }

        _begun = _time.GetTimestamp();

        // No thread of the pool: runs that never return may hold those too.
        new Thread(Watch) { IsBackground = true, Name = "stop limit" }.Start();
    }

    /// <summary>Waits for the runs that are under way once the host has stopped, until the stop time is over. Ends the process if some are left.</summary>
    public void EndRuns()
    {
        var left = _limit - _time.GetElapsedTime(_begun);
        if (_workers?.TryEnd(left > TimeSpan.Zero ? left : TimeSpan.Zero) == false)
        {
            EndProcess();
        }
    }

    /// <summary>The process has stopped, or goes on.</summary>
    public void Dispose()
    {
        _stopping.Dispose();
        _ended.TrySetResult();
    }

    private void Watch()
    {
        if (!_ended.Task.Wait(_limit + Grace))
        {
            EndProcess();
        }
    }

    [DoesNotReturn]
    private void EndProcess()
    {
        lock (_gate)
        {
            var telling = new Thread(Tell) { IsBackground = true, Name = "stop limit's log" };
            telling.Start();
            telling.Join(MaxTelling);
            Exit(StopFailed);
        }
    }

    private void Tell()
    {
        var seconds = _time.GetElapsedTime(_begun).TotalSeconds;
        if (_workers?.Running is { Count: > 0 } running)
        {
            Log.EndedAmidRuns(_logger, seconds, string.Join(", ", running));
        }
        else
        {
            Log.EndedAmidStop(_logger, seconds);
        }

        // Each writes what it has kept.
        _logs.ForEach(static log => log.Dispose());
    }

    /// <summary>Without what libraries do at the end: they would meet the runs that are under way.</summary>
    [LibraryImport("libc", EntryPoint = "_exit")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    [DoesNotReturn]
    private static partial void Exit(int code);
}
