using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Clustering;

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
