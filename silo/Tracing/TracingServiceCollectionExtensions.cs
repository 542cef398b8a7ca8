using Cluster.Contracts.Options;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Silo.Tracing;

/// <summary>Registers what <see cref="TracingOptions"/> ask for.</summary>
internal static class TracingServiceCollectionExtensions
{
    /// <summary>Nothing by default. Call it after Orleans was added, which takes its services in that order.</summary>
    /// <param name="configuration">Validated.</param>
    public static IServiceCollection AddTracing(this IServiceCollection services, IConfiguration configuration)
    {
        var options = new TracingOptions();
        OptionSection.Bind(configuration, options);
        return options.Propagate
            ? services.AddHostedService<TracePropagation>().AddOrleans(static orleans => orleans.AddActivityPropagation())
            : services;
    }
}
