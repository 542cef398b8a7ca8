using Cluster.Metrics;
using Cluster.Silo.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Hosting;

/// <summary>Says, for as long as the process runs, whether it was allowed to listen beyond loopback without TLS or identity.</summary>
internal static class SafeStart
{
    public static void Announce(IServiceProvider services, ServeOptions options, ILogger logger)
    {
        Gauge(services.GetRequiredService<MetricRegistry>()).Set(options.Insecure ? 1 : 0);
        if (options.Insecure)
        {
            Log.Insecure(logger);
        }
    }

    internal static ValueSeries Gauge(MetricRegistry registry) =>
        registry.Gauge("cluster_insecure", "1 if --insecure allows to listen beyond loopback without TLS or identity.").Acquire();
}
