using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Membership;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Unit.Runtime.Directory;

/// <summary>A whole silo on a real Redis, without a transport: registered as a server registers it, on real time.</summary>
internal sealed class ClusterSilo : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private ClusterSilo(SiloAddress silo, RedisServer redis, FakeNetwork network)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        services.AddSingleton<TestProbe>();
        services.AddSingleton<ILocalSiloDetails>(new FixedSiloDetails(silo));
        services.AddSingleton(network.ProberOf(silo));
        services.AddSharedRedis(options =>
        {
            options.Endpoints = redis.Endpoint;
            options.ConnectTimeout = options.OperationTimeout = TimeSpan.FromSeconds(5);
        });
        services.UseRedisClustering();
        services.Configure<ClusterMembershipOptions>(static options => options.NewTableSettleTime = TimeSpan.FromMilliseconds(200));
        services.AddRedisGrainStorage("memory");
        services.AddRedisGrainStorage("Default");
        services.AddActorRuntime(static options => options.AddApplicationPart(typeof(ClusterSilo).Assembly));
        _services = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public LogSink Log { get; } = new();

    public ClusterMembershipService Membership => _services.GetRequiredService<ClusterMembershipService>();

    public RedisConnection Redis => _services.GetRequiredService<RedisConnection>();

    public IGrainDirectory Directory => _services.GetRequiredService<IGrainDirectory>();

    public ActorRuntime Runtime => _services.GetRequiredService<ActorRuntime>();

    public T Get<T>(string key)
        where T : IGrainWithStringKey => _services.GetRequiredService<IGrainFactory>().GetGrain<T>(key);

    public static async Task<ClusterSilo> StartAsync(SiloAddress address, RedisServer redis, FakeNetwork network)
    {
        var silo = new ClusterSilo(address, redis, network);
        foreach (var service in silo._services.GetServices<IHostedService>())
        {
            await service.StartAsync(default).Soon();
        }

        await silo.ForEachAsync(static service => service.StartedAsync(default));
        await silo.UntilAsync(static view => view.Unsettled.IsEmpty);
        return silo;
    }

    public async Task UntilAsync(Func<MembershipView, bool> condition)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        await foreach (var _ in Membership.MembershipUpdates.WithCancellation(limit.Token))
        {
            if (condition(Membership.View))
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ForEachAsync(static service => service.StoppingAsync(default));
        foreach (var service in _services.GetServices<IHostedService>().Reverse())
        {
            await service.StopAsync(default).Soon();
        }

        await ForEachAsync(static service => service.StoppedAsync(default));
        await _services.DisposeAsync();
    }

    private async Task ForEachAsync(Func<IHostedLifecycleService, Task> step)
    {
        foreach (var service in _services.GetServices<IHostedService>().OfType<IHostedLifecycleService>())
        {
            await step(service).Soon();
        }
    }
}
