using System.Net;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;

namespace Cluster.Unit.Transport;

/// <summary>A silo that holds the payload grains, and one that calls them over loopback.</summary>
internal sealed class TwoSilos : IAsyncDisposable
{
    private readonly IHost _holder;
    private readonly IHost _caller;

    private TwoSilos(IHost holder, IHost caller, SpyChannels spy)
    {
        _holder = holder;
        _caller = caller;
        Spy = spy;
    }

    public SpyChannels Spy { get; }

    public IPayloadGrain Grain => _caller.Services.GetRequiredService<IGrainFactory>().GetGrain<IPayloadGrain>("one");

    /// <summary>The same grain, called from its own process.</summary>
    public IPayloadGrain LocalGrain => _holder.Services.GetRequiredService<IGrainFactory>().GetGrain<IPayloadGrain>("one");

    public static async Task<TwoSilos> StartAsync()
    {
        var ports = FreePort.Take(2);
        var primary = new IPEndPoint(IPAddress.Loopback, ports[0]);
        var spy = new SpyChannels();
        var holder = await StartAsync(ports[0], primary, spy, holdsGrains: true);
        var caller = await StartAsync(ports[1], primary, spy, holdsGrains: false);
        await KnowsBothAsync(caller).Soon();
        return new TwoSilos(holder, caller, spy);
    }

    public async ValueTask DisposeAsync()
    {
        await _caller.StopAsync().Soon("the caller's stop");
        await _holder.StopAsync().Soon("the holder's stop");
        _caller.Dispose();
        _holder.Dispose();
    }

    /// <summary>A reference to a grain can be made once its silo has said which grains it has.</summary>
    private static async Task KnowsBothAsync(IHost host)
    {
        await foreach (var manifest in host.Services.GetRequiredService<IClusterManifestProvider>().Updates)
        {
            if (manifest.Silos.Count == 2)
            {
                return;
            }
        }
    }

    private static async Task<IHost> StartAsync(int port, IPEndPoint primary, SpyChannels spy, bool holdsGrains)
    {
        var host = new HostBuilder().ConfigureServices(services =>
        {
            services.AddLogging(static logging => logging.SetMinimumLevel(LogLevel.None));
            services.AddSingleton<IFrameChannelFactory>(spy);
            services.AddOrleans(silo =>
            {
                silo.UseDevelopmentClustering(primary);
                silo.UseFrameTransport();
                services.Configure<EndpointOptions>(endpoints =>
                {
                    endpoints.AdvertisedIPAddress = IPAddress.Loopback;
                    endpoints.SiloPort = port;
                    endpoints.GatewayPort = 0;
                });
                services.Configure<ConnectionOptions>(static connections => connections.ConnectionRetryDelay = TimeSpan.FromMilliseconds(10));
                services.Configure<GrainTypeOptions>(types => types.Classes.RemoveWhere(type =>
                    type.Assembly.GetName().Name!.StartsWith("Cluster", StringComparison.Ordinal) && !(holdsGrains && type == typeof(PayloadGrain))));
            });
        }).Build();
        await host.StartAsync().Soon("a silo's start");
        return host;
    }
}
