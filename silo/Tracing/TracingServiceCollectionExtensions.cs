using System.Diagnostics;
using Cluster.Contracts.Options;
using Cluster.Contracts.Tracing;
using Cluster.Silo.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Orleans.Diagnostics;

namespace Cluster.Silo.Tracing;

/// <summary>Registers what <see cref="TracingOptions"/> ask for.</summary>
internal static class TracingServiceCollectionExtensions
{
    private const string HttpPath = "/v1/traces";

    /// <summary>Nothing by default. Call it after Orleans was added, which takes its services in that order.</summary>
    /// <param name="configuration">Validated.</param>
    public static TracingOptions AddTracing(this IServiceCollection services, IConfiguration configuration, ServeRole role)
    {
        var options = new TracingOptions();
        OptionSection.Bind(configuration, options);
        if (options.Propagate)
        {
            services.AddHostedService<TracePropagation>().AddOrleans(static orleans => orleans.AddActivityPropagation());
        }

        if (options.IsExporting)
        {
            AddExport(services, options, role);
        }

        return options;
    }

    // Apart: without it the libraries of OpenTelemetry are not loaded.
    private static void AddExport(IServiceCollection services, TracingOptions options, ServeRole role) =>
        services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(
                $"cluster-{role.ToString().ToLowerInvariant()}", serviceVersion: typeof(TracingOptions).Assembly.GetName().Version?.ToString(3), serviceInstanceId: Environment.MachineName + "-" + Environment.ProcessId))
            .WithTracing(tracing =>
            {
                tracing.AddSource(ServingTrace.SourceName);
                if (options.Propagate)
                {
                    tracing.AddSource(ActivitySources.ApplicationGrainActivitySourceName);
                }

                if (options.SampleRatio is { } ratio)
                {
                    tracing.SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(ratio)));
                }

                tracing.AddOtlpExporter(exporter => Configure(exporter, options));
            });

    private static void Configure(OtlpExporterOptions exporter, TracingOptions options)
    {
        exporter.Protocol = options.Protocol switch
        {
            TraceProtocol.Grpc => OtlpExportProtocol.Grpc,
            TraceProtocol.HttpProtobuf => OtlpExportProtocol.HttpProtobuf,
            _ => exporter.Protocol,
        };
        exporter.Endpoint = new Uri(exporter.Protocol == OtlpExportProtocol.HttpProtobuf ? options.Endpoint!.TrimEnd('/') + HttpPath : options.Endpoint!);
    }
}

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
