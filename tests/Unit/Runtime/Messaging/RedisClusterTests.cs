using Cluster.Silo.Clustering;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Cluster.Unit.Runtime.Membership;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

/// <summary>Two silos and a client as servers register them: Redis, sockets, failure detection.</summary>
[Collection(TimedCollection.Name)]
public sealed class RedisClusterTests
{
    [Fact]
    public async Task Client_OfTwoSilosThatShareARedis_CallsBothAndOutlivesOne()
    {
        await using var redis = await RedisServer.StartNewAsync();
        await using var one = await StartSiloAsync(redis);
        await using var two = await StartSiloAsync(redis);
        await using var client = await StartAsync(redis, static services => services.AddActorRuntimeClient(static options => options.ClusterId = "wire"));
        await UntilAsync(client, snapshot => ActiveOf(snapshot) == 2);

        var silos = new HashSet<string>();
        for (var i = 0; silos.Count < 2; i++)
        {
            Assert.True(i < 100, "placement is random, and all of 100 grains are on one silo");
            silos.Add(await client.Get<IWireGrain>($"g{i}").Silo().Soon());
        }

        Assert.Equal(2, client.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members.Count);
        Assert.Null(client.Locations.TryGetKnown(client.Get<IWireGrain>("never called").GetGrainId()));
        Assert.NotNull(client.Locations.TryGetKnown(client.Get<IWireGrain>("g0").GetGrainId()));

        await two.StopAsync();
        await UntilAsync(client, snapshot => ActiveOf(snapshot) == 1);

        Assert.Equal(one.Address.ToParsableString(), await client.Get<IWireGrain>("new").Silo().Soon());
    }

    private static Task<TestNode> StartSiloAsync(RedisServer redis)
    {
        var endpoint = TestCluster.FreeEndpoint();
        return StartAsync(redis, services =>
        {
            services.AddMemoryGrainStorage("memory");
            services.AddMemoryGrainStorage("Default");
            services.AddActorRuntime(options =>
            {
                options.ClusterId = "wire";
                options.AdvertisedEndpoint = endpoint;
                options.AddApplicationPart(typeof(RedisClusterTests).Assembly);
            });
        });
    }

    private static async Task<TestNode> StartAsync(RedisServer redis, Action<IServiceCollection> add)
    {
        var services = new ServiceCollection();
        services.AddSharedRedis(options => options.Endpoints = redis.Endpoint).UseRedisClustering();
        services.AddClusterMessaging();
        services.Configure<ClusterMembershipOptions>(static options => options.NewTableSettleTime = TimeSpan.FromMilliseconds(200));
        add(services);
        var node = new TestNode(services);
        await node.StartAsync();
        return node;
    }

    private static int ActiveOf(ClusterMembershipSnapshot snapshot) => snapshot.Members.Values.Count(static member => member.Status == SiloStatus.Active);

    private static async Task UntilAsync(TestNode node, Func<ClusterMembershipSnapshot, bool> condition)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        await foreach (var snapshot in node.Services.GetRequiredService<IClusterMembershipService>().MembershipUpdates.WithCancellation(limit.Token))
        {
            if (condition(snapshot))
            {
                return;
            }
        }
    }
}
