using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>One silo of a test cluster: its membership, detector and agent, on real time.</summary>
internal sealed class TestMember : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly HostLifetime _lifetime = new();

    private TestMember(SiloAddress silo, IMembershipTable table, FakeNetwork network, Action<ClusterMembershipOptions>? configure)
    {
        Silo = silo;
        Table = new FaultyTable(table, () => network.IsSuspended(silo));
        var services = new ServiceCollection();
        services.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(Log));
        services.AddMetrics();
        services.AddSingleton<IHostApplicationLifetime>(_lifetime);
        services.AddSingleton<ILocalSiloDetails>(new FixedSiloDetails(silo));
        services.AddSingleton<IMembershipTable>(Table);
        services.AddSingleton(network.ProberOf(silo));
        services.Configure(configure ?? (static _ => { }));
        RedisServiceCollectionExtensions.AddMembership(services);
        _services = services.BuildServiceProvider();
    }

    public SiloAddress Silo { get; }

    public FaultyTable Table { get; }

    public LogSink Log { get; } = new();

    public ClusterMembershipService Membership => _services.GetRequiredService<ClusterMembershipService>();

    /// <summary>Completes once the silo has asked its host to stop.</summary>
    public Task HostStops => _lifetime.Stops.Task;

    private IHostedLifecycleService Agent => (IHostedLifecycleService)_services.GetServices<IHostedService>().Single();

    public static async Task<TestMember> StartAsync(
        SiloAddress silo, IMembershipTable table, FakeNetwork network, Action<ClusterMembershipOptions>? configure = null)
    {
        var member = new TestMember(silo, table, network, configure);
        try
        {
            await member.Agent.StartAsync(default).Soon();
            await member.Agent.StartedAsync(default).Soon();
            return member;
        }
        catch
        {
            await member.DisposeAsync();
            throw;
        }
    }

    public async Task StopAsync()
    {
        await Agent.StoppingAsync(default).Soon();
        await Agent.StoppedAsync(default).Soon();
    }

    /// <summary>Waits until this silo knows that another has a status.</summary>
    public Task UntilAsync(SiloAddress silo, SiloStatus status) => UntilAsync(view => (view.Find(silo)?.Status ?? SiloStatus.None) == status, $"{silo} {status}");

    public async Task UntilAsync(Func<MembershipView, bool> condition, string what)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        try
        {
            await foreach (var _ in Membership.MembershipUpdates.WithCancellation(limit.Token))
            {
                if (condition(Membership.View))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"{Silo} still waits for: {what}; it knows {Membership.View.Describe()}\n{string.Join('\n', Log.Entries.Select(static entry => entry.Message))}");
        }
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class HostLifetime : IHostApplicationLifetime
    {
        public TaskCompletionSource Stops { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stops.TrySetResult();
    }
}
