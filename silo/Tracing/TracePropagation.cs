using System.Diagnostics;
using Microsoft.Extensions.Hosting;
using Orleans.Diagnostics;

namespace Cluster.Silo.Tracing;

/// <summary>
/// Has ASP.NET Core and Orleans make activities for requests that name a trace, and for no others: both make one only where something listens. It
/// records nothing.
/// </summary>
internal sealed class TracePropagation : IHostedService, IDisposable
{
    private const string Requests = "Microsoft.AspNetCore";

    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name is Requests or ActivitySources.ApplicationGrainActivitySourceName,
        Sample = static (ref ActivityCreationOptions<ActivityContext> options) =>
            options.Parent.TraceId == default ? ActivitySamplingResult.None : ActivitySamplingResult.PropagationData,
    };

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        ActivitySource.AddActivityListener(_listener);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();
}
