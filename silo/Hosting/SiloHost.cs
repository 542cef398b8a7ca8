using System.Globalization;
using System.Net;
using Cluster.Contracts.Models;
using Cluster.Contracts.Serving;
using Cluster.Gateway.Hosting;
using Cluster.Grains;
using Cluster.Grains.Cache;
using Cluster.Grains.Registry;
using Cluster.Grains.Repository;
using Cluster.Grains.Sessions;
using Cluster.Grains.Workers;
using Cluster.Silo.Options;
using Cluster.Silo.Repository;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Silo.Hosting;

/// <summary>Composes the process that is everything in one: silo, repository and gateway.</summary>
internal static class SiloHost
{
    /// <param name="options">Validated.</param>
    /// <param name="configuration">Where further settings of the parts come from.</param>
    public static WebApplication Build(ServeOptions options, IConfiguration configuration)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddConfiguration(configuration);
        var start = new StartLog();
        AddLogging(builder.Logging, options, start);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.StopSeconds));
        AddSilo(builder.Services, options);
        builder.AddGateway(new GatewayOptions
        {
            Bind = IPAddress.Parse(options.Bind),
            HttpPort = options.HttpPort,
            GrpcPort = options.GrpcPort,
            ServerName = options.ServerName,
            MaxMessageBytes = options.MaxMessageMiB << 20,
        });
        var app = builder.Build();
        app.MapGateway();
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            start.Succeeded();
            LogStart(app, options);
        });
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging, ServeOptions options, StartLog start)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(Enum.Parse<LogLevel>(options.LogLevel, ignoreCase: true));
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        start.AddTo(logging);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Warning);
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

    private static void AddSilo(IServiceCollection services, ServeOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(options);
        services.AddModelGrains(
            new InferenceOptions { Threads = options.InferenceThreads, QueueLimit = options.QueueLimit },
            new ModelCacheOptions { Capacity = CacheCapacity.Of(options.Capacity) });
        services.AddSingleton(new RepositoryOptions { Models = options.Models, Config = options.Config });
        services.AddSingleton<IModelRepository, FileModelRepository>();
        services.AddSingleton<IRegistrations, InMemoryRegistrations>();
        services.AddSingleton<IServingStates, InMemoryServingStates>();
        services.AddActorRuntime(runtime => runtime.AddApplicationPart(typeof(ModelGrains).Assembly));
        services.AddMemoryGrainStorage(ModelGrains.StorageName);
        services.AddModelRegistry(new RegistryOptions { Root = RegisteredModels(options) });
        services.AddSingleton<RepositoryWatcher>();
        services.AddSingleton<IRepositoryControl>(provider => provider.GetRequiredService<RepositoryWatcher>());
        services.AddHostedService(provider => provider.GetRequiredService<RepositoryWatcher>());
    }

    /// <summary>The folder that was asked for must be there, as the model repository must.</summary>
    private static string? RegisteredModels(ServeOptions options) =>
        options.RegisteredModels is null || Directory.Exists(options.RegisteredModels)
            ? options.RegisteredModels ?? options.Models
            : throw new RepositoryConfigurationException($"registered-models: there is no folder '{options.RegisteredModels}'");

    private static string CapacityText(long bytes) =>
        bytes == long.MaxValue ? "unlimited" : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.#} MiB");

    private static void LogStart(WebApplication app, ServeOptions options)
    {
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.ToList();
        Log.Serving(
            app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Cluster.Silo"),
            addresses[0],
            addresses[1],
            app.Services.GetRequiredService<OnnxEnvironment>().Version,
            CapacityText(app.Services.GetRequiredService<ModelCacheOptions>().Capacity),
            string.Join(" and ", new[] { options.Models, options.Config }.OfType<string>()));
    }
}
