using System.Globalization;
using Cluster.Contracts.Options;
using Cluster.Gateway.Hosting;
using Cluster.Gateway.Tracing;
using Cluster.Grains.Cache;
using Cluster.Grains.Sessions;
using Cluster.Metrics;
using Cluster.Silo.Dashboard;
using Cluster.Silo.Options;
using Cluster.Silo.Tracing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Hosting;

/// <summary>Composes a process of the asked role.</summary>
internal static class ServeHost
{
    /// <param name="options">Validated.</param>
    /// <param name="configuration">Where further settings of the parts come from.</param>
    public static WebApplication Build(ServeOptions options, IConfiguration configuration)
    {
        // The other builders read files, variables and sections that are no options of ours.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.AddSingleton(configuration);
        builder.Services.AddOptionSections();
        builder.Services.AddSingleton(Microsoft.Extensions.Options.Options.Create(options));
        var start = new StartLog();
        AddLogging(builder.Logging, options, start);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.StopSeconds));
        var dashboard = DashboardFolder.PortOf(configuration);
        if (dashboard > 0)
        {
            DashboardFolder.Load();
        }

        var map = Compose(builder, options);
        var tracing = builder.Services.AddTracing(configuration, options.Role);
        if (dashboard > 0)
        {
            DashboardFolder.AddTo(builder.Services, dashboard);
        }

        var app = builder.Build();
        if (options.Role != ServeRole.Gateway)
        {
            // Before anything is served or joined: OpenVINO that cannot be used ends the start.
            _ = app.Services.GetRequiredService<OnnxEnvironment>();
        }

        if (tracing.IsExporting)
        {
            app.UseRequestSpans();
        }

        map(app);
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            start.Succeeded();
            LogStart(app, options, dashboard);
        });
        return app;
    }

    /// <summary>Registers what the role needs; returns what maps its paths.</summary>
    private static Action<WebApplication> Compose(WebApplicationBuilder builder, ServeOptions options)
    {
        switch (options.Role)
        {
            case ServeRole.Gateway:
                builder.AddGatewayProcess(options);
                return static app => app.MapGateway();
            case ServeRole.Silo:
                builder.Services.AddSilo(options);
                builder.AddSiloEndpoints(options);
                return app => app.MapSiloEndpoints(options);
            default:
                builder.Services.AddSilo(options);
                GatewayComposition.AddGateway(builder, options);
                return static app => app.MapGateway();
        }
    }

    private static void AddLogging(ILoggingBuilder logging, ServeOptions options, StartLog start)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        start.AddTo(logging);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);

        // A connection that floods is ended with a critical line for each of its frames: thousands a second. kestrel_connection_duration tells how connections end.
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.Http2", LogLevel.None);

        // Orleans logs each write of a state that fails, with a trace; what Redis refuses has its line, and so has its loss.
        logging.AddFilter("Cluster.Grains.Storage", LogLevel.None);

        // A line for each grain that Orleans places.
        logging.AddFilter("Polly", LogLevel.Warning);
        if (options.LogFormat == "json")
        {
            logging.AddJsonConsole(console => console.UseUtcTimestamp = true);
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
            });
        }
    }

    private static string CapacityText(long bytes) =>
        bytes == long.MaxValue ? "unlimited" : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB");

    private static void LogStart(WebApplication app, ServeOptions options, int dashboard)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Cluster.Silo");
        foreach (var type in OptionSections.Types)
        {
            var section = app.Services.GetRequiredService(type);
            Log.Effective(logger, OptionProperty.SectionOf(type), string.Join(", ", OptionProperty.Of(type).Select(option => $"{option.Name}={option.Show(section)}")));
        }

        SafeStart.Announce(app.Services, options, logger);
        if (dashboard > 0)
        {
            Log.DashboardListens(logger, dashboard);
        }

        if (options.Role == ServeRole.Gateway)
        {
            Log.ServingAsGateway(logger, addresses[0], addresses[1], options.ClusterId, options.Redis!);
            return;
        }

        var models = string.Join(" and ", new[] { options.Models, options.Config }.OfType<string>());
        var capacity = CapacityText(app.Services.GetRequiredService<ModelCacheOptions>().Capacity);
        var onnxRuntime = app.Services.GetRequiredService<OnnxEnvironment>().Versions;
        var silo = app.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        if (options.Role == ServeRole.Silo)
        {
            Log.ServingAsSilo(logger, silo, options.ClusterId, options.Redis!, addresses[0], onnxRuntime, capacity, models);
        }
        else
        {
            Log.Serving(logger, addresses[0], addresses[1], onnxRuntime, capacity, models);
        }
    }
}

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

/// <summary>
/// Keeps the host, the web server and Orleans, where that is the actor runtime, quiet until the start has succeeded. A start that fails ends the process with one line that says why. Both
/// would log the same before it, with a stack trace that helps no operator.
/// </summary>
internal sealed class StartLog
{
    private volatile bool _succeeded;

    public void AddTo(ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => _succeeded && level >= LogLevel.Information);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => _succeeded && level >= LogLevel.Warning);
        logging.AddFilter("Orleans", level => _succeeded && level >= LogLevel.Warning);
    }

    public void Succeeded() => _succeeded = true;
}
