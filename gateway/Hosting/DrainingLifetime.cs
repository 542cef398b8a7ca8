using System.Runtime.InteropServices;
using Cluster.Gateway.Serving;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Hosting;

/// <summary>
/// Puts a time between the signal to stop and the stop, in which the process answers requests but is not ready. Load balancers need it to take note. A second
/// signal stops at once.
/// </summary>
internal sealed class DrainingLifetime(
    ServerReadiness readiness, IHostApplicationLifetime application, GatewayOptions options, TimeProvider time, ILogger<DrainingLifetime> logger) : IHostLifetime, IDisposable
{
    private readonly Lock _lock = new();
    private PosixSignalRegistration[] _signals = [];
    private ITimer? _stop;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        _signals = [.. new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT, PosixSignal.SIGTERM }.Select(signal => PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            Drain();
        }))];
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What a signal does.</summary>
    public void Drain()
    {
        lock (_lock)
        {
            if (_stop is null)
            {
                _stop = time.CreateTimer(static application => ((IHostApplicationLifetime)application!).StopApplication(), application, options.DrainTime, Timeout.InfiniteTimeSpan);
                readiness.BeginDrain();
                Log.Drains(logger, options.DrainTime.TotalSeconds);
                return;
            }
        }

        application.StopApplication();
    }

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }

        _stop?.Dispose();
    }
}

/// <summary>Event id 4090.</summary>
internal static partial class Log
{
    [LoggerMessage(4090, LogLevel.Information, "Began to stop: serves on for {Seconds} s and is not ready; a second signal stops at once")]
    public static partial void Drains(ILogger logger, double seconds);
}
