using System.Net;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Cluster.Unit.Runtime.Membership;
using Microsoft.Extensions.DependencyInjection;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Silos and clients in this process that talk over real sockets; their membership is the test's, their directory in memory.</summary>
internal sealed class TestCluster : IAsyncDisposable
{
    private readonly List<TestNode> _nodes = [];

    public TestCluster() => Directory = new WatchedDirectory(new InMemoryGrainDirectory(Membership));

    public SharedMembership Membership { get; } = new();

    public WatchedDirectory Directory { get; }

    public static IPEndPoint FreeEndpoint() => new(IPAddress.Loopback, FreePort.Take());

    /// <summary>A silo, active if it joins.</summary>
    /// <param name="at">Its address; null: a free port, generation 1.</param>
    public async Task<TestNode> AddSiloAsync(
        SiloAddress? at = null, Action<MessagingOptions>? messaging = null, TimeProvider? time = null, bool joins = true)
    {
        at ??= SiloAddress.New(FreeEndpoint(), 1);
        var node = await AddAsync(messaging, time, services =>
        {
            services.AddSingleton<ILocalSiloDetails>(new FixedSiloDetails(at));
            services.AddMemoryGrainStorage("memory");
            services.AddMemoryGrainStorage("Default");
            services.AddPlacementDirector<TestPlacement, TestPlacementDirector>();
            services.AddActorRuntime(options =>
            {
                options.AddApplicationPart(typeof(TestCluster).Assembly);
                options.AdvertisedEndpoint = at.Endpoint;
            });
        });
        if (joins)
        {
            Membership.Set(at, SiloStatus.Active);
        }

        return node;
    }

    public Task<TestNode> AddClientAsync(
        Action<MessagingOptions>? messaging = null, TimeProvider? time = null, Action<ActorRuntimeOptions>? configure = null) =>
        AddAsync(messaging, time, services => services.AddActorRuntimeClient(options =>
        {
            options.ClusterId = "test";
            configure?.Invoke(options);
        }));

    /// <summary>Puts a grain on a silo.</summary>
    public Task ActivateAsync<T>(TestNode silo, string key)
        where T : IGrainWithStringKey => RegisterAsync(silo.Address, silo.Get<T>(key).GetGrainId());

    /// <summary>Has the directory say that a grain is on a silo.</summary>
    public Task RegisterAsync(SiloAddress silo, GrainId grain) => Directory.Register(GrainAddress.NewActivationAddress(silo, grain));

    public async ValueTask DisposeAsync()
    {
        _nodes.Reverse();
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private async Task<TestNode> AddAsync(Action<MessagingOptions>? messaging, TimeProvider? time, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        services.AddSingleton(time ?? TimeProvider.System);
        services.AddSingleton<IClusterMembershipService>(Membership);
        services.AddSingleton<IGrainDirectory>(Directory);
        services.AddClusterMessaging(messaging);
        add(services);
        var node = new TestNode(services);
        _nodes.Add(node);
        await node.StartAsync();
        return node;
    }
}
