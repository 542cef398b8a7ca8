using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>A process of a test cluster: a silo or a client, registered as a server registers it.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private bool _stopped;

    public TestNode(IServiceCollection services)
    {
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        services.AddSingleton(Probe);
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public LogSink Log { get; } = new();

    public TestProbe Probe { get; } = new();

    public IServiceProvider Services => _services;

    public ActorRuntime Runtime => _services.GetRequiredService<ActorRuntime>();

    public PeerConnections Connections => _services.GetRequiredService<PeerConnections>();

    public IGrainLocations Locations => _services.GetRequiredService<IGrainLocations>();

    public SiloAddress Address => Runtime.Silo.SiloAddress;

    public T Get<T>(string key)
        where T : IGrainWithStringKey => _services.GetRequiredService<IGrainFactory>().GetGrain<T>(key);

    public async Task StartAsync()
    {
        await ForEachAsync(static service => service.StartingAsync(default));
        foreach (var service in _services.GetServices<IHostedService>())
        {
            await service.StartAsync(default).Soon();
        }

        await ForEachAsync(static service => service.StartedAsync(default));
    }

    public async Task StopAsync()
    {
        _stopped = true;
        await ForEachAsync(static service => service.StoppingAsync(default));
        foreach (var service in _services.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(default).Soon();
        }

        await ForEachAsync(static service => service.StoppedAsync(default));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_stopped)
        {
            await StopAsync();
        }

        await _services.DisposeAsync();
        Assert.DoesNotContain(Log.Entries, static entry => entry.Level >= LogLevel.Error);
    }

    private async Task ForEachAsync(Func<IHostedLifecycleService, Task> step)
    {
        foreach (var service in _services.GetServices<IHostedService>().OfType<IHostedLifecycleService>().Reverse())
        {
            await step(service).Soon();
        }
    }
}
