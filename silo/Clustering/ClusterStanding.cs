using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Clustering;

/// <summary>Whether the cluster still counts this process as a member.</summary>
internal sealed class ClusterStanding
{
    private volatile string? _removal;

    /// <summary>Why the cluster has declared this process dead; null while it has not.</summary>
    public string? Removal => _removal;

    public void Remove(string reason) => _removal ??= reason;
}

/// <summary>A silo that was declared dead stops in order, and starts again as a new one; Orleans would end the process on the spot.</summary>
internal sealed class RemovalHandler(IServiceProvider services, ILogger<RemovalHandler> logger) : IFatalErrorHandler
{
    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        var reason = context ?? "without a reason";
        ClusteringLog.Removed(logger, exception, reason);
        services.GetRequiredService<ClusterStanding>().Remove(reason);
        services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
    }
}

/// <summary>Messages of the code around Orleans: event ids 1250 to 1259.</summary>
internal static partial class ClusteringLog
{
    [LoggerMessage(1250, LogLevel.Error, "Ended this silo, which could not go on, to start it again: {Reason}", EventName = "SiloRemoved")]
    public static partial void Removed(ILogger logger, Exception? exception, string reason);
}
