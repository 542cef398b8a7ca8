using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Dashboard;

namespace Cluster.Dashboard;

/// <summary>Registers Orleans' dashboard.</summary>
public static class DashboardExtensions
{
    /// <summary>Loads the libraries whose grain classes and types Orleans takes over when it is added. Call it before that.</summary>
    public static void Load() => RuntimeHelpers.RunModuleConstructor(typeof(DashboardOptions).Module.ModuleHandle);

    /// <summary>Adds the dashboard to a silo that was added before, and its web server.</summary>
    /// <param name="port">Of 127.0.0.1.</param>
    public static IServiceCollection AddOrleansDashboard(this IServiceCollection services, int port)
    {
        services.AddOrleans(static orleans => orleans.AddDashboard(DashboardServer.Configure));
        return services.AddHostedService(provider => new DashboardServer(provider, port));
    }
}
