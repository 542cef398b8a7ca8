using System.Diagnostics;
using System.Net;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Serving;
using Cluster.Grains;
using Cluster.Grains.Registry;
using Cluster.Grains.Storage;
using Cluster.Grains.Workers;
using Cluster.Tests.Common;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Orleans.Configuration;
using Cluster.Grains.Repository.Versions;
using Cluster.Unit.Hosting;
using Xunit;

namespace Cluster.Unit.Placement;

/// <summary>Replicas on four silos of this process: each is where its key says.</summary>
public sealed class ReplicaAddressingTests : IAsyncLifetime
{
    private static readonly ReplicaSpec Spec = new(
        new ModelVersionSource(1, Path.Combine(TestPaths.TestModels, "identity_fp32", "1", "model.onnx"), "r"), ModelSettings.Default, VersionPolicy.LatestOne);

    private readonly List<IHost> _silos = [];

    public async ValueTask InitializeAsync()
    {
        var primary = new IPEndPoint(IPAddress.Loopback, FreePort.Take());
        for (var number = 0; number < 4; number++)
        {
            var port = number == 0 ? primary.Port : FreePort.Take();
            var host = new HostBuilder()
                .ConfigureServices(services => services
                    .AddLogging(static logging => logging.SetMinimumLevel(LogLevel.None))
                    .AddMetrics()
                    .AddSingleton(TimeProvider.System)
                    .AddSingleton<IServingStates, InMemoryServingStates>()
                    .AddSingleton<IRegistrations, InMemoryRegistrations>()
                    .AddSingleton<IContentCheck, AnyContent>()
                    .AddModelGrains(new InferenceOptions { Threads = 1 })
                    .AddMemoryGrainStorage(ModelGrains.StorageName))
                .UseOrleans(silo => silo
                    .UseDevelopmentClustering(primary)
                    .ConfigureEndpoints(IPAddress.Loopback, port, gatewayPort: 0)
                    .Configure<ClusterMembershipOptions>(static membership =>
                    {
                        membership.ProbeTimeout = TimeSpan.FromMilliseconds(500);
                        membership.NumMissedProbesLimit = 1;
                        membership.NumVotesForDeathDeclaration = 1;
                    }))
                .Build();
            await host.StartAsync().Soon("a silo's start");
            _silos.Add(host);
        }

        var membership = _silos[0].Services.GetRequiredService<IClusterMembershipService>();
        await UntilAsync(
            membership, snapshot => snapshot.Members.Values.Count(static member => member.Status == SiloStatus.Active) == _silos.Count).Soon("all silos' joining");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var silo in Enumerable.Reverse(_silos))
        {
            await silo.StopAsync();
            silo.Dispose();
        }
    }

    [Fact]
    public async Task Replicas_HundredOnFourSilos_AreWhereTheirKeysSayAlsoAfterADeactivation()
    {
        var ids = Enumerable.Range(0, 100).Select(number => new ModelReplicaId("m", 1, number, AddressOf(number % 4))).ToList();

        await Task.WhenAll(ids.Select((id, number) => LoadAsync(id, by: number % 3))).Soon("the loads");
        Assert.All(ids, AssertIsWhereItsKeySays);

        // Ended, and called again: it is not loaded, there or elsewhere.
        var ended = ids.Take(20).ToList();
        foreach (var id in ended)
        {
            await Grain(id, by: 1).UnloadAsync().AsTask().Soon();
        }

        foreach (var id in ended)
        {
            await GoneAsync(id);
            Assert.Null(await Grain(id, by: 2).DescribeAsync(CancellationToken.None).AsTask().Soon());
            var reply = await Grain(id, by: 3).InferAsync(new InferRequest { Message = PayloadBuffer.CopyOf([1]) }, CancellationToken.None).AsTask().Soon();
            Assert.Equal(FailureKind.Moved, reply.Failure!.Kind);
        }

        await Task.WhenAll(ended.Select(id => LoadAsync(id, by: 0))).Soon("the loads");
        Assert.All(ids, AssertIsWhereItsKeySays);
    }

    [Fact]
    public async Task Silo_Dies_TouchesNoneOfTheOthersAndCallsToItsOwnAreRefusedAtOnce()
    {
        var ids = Enumerable.Range(0, 8).Select(number => new ModelReplicaId("m", 1, number, AddressOf(number % 4))).ToList();
        await Task.WhenAll(ids.Select(id => LoadAsync(id, by: 0))).Soon("the loads");
        var dead = AddressOf(3);
        var membership = _silos[0].Services.GetRequiredService<IClusterMembershipService>();

        using (var killed = new CancellationTokenSource())
        {
            await killed.CancelAsync();
            await _silos[3].StopAsync(killed.Token);
        }

        await UntilAsync(membership, snapshot => snapshot.GetSiloStatus(dead) == SiloStatus.Dead).Soon("the silo's death");

        foreach (var id in ids.Where(id => id.Silo != dead))
        {
            Assert.NotNull(await Grain(id, by: 1).DescribeAsync(CancellationToken.None).AsTask().Soon());
            AssertIsWhereItsKeySays(id);
        }

        foreach (var id in ids.Where(id => id.Silo == dead))
        {
            var start = Stopwatch.GetTimestamp();
            await Assert.ThrowsAnyAsync<OrleansException>(() => Grain(id, by: 0).DescribeAsync(CancellationToken.None).AsTask().Soon());
            Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromMilliseconds(400));
        }
    }

    private static async Task UntilAsync(IClusterMembershipService membership, Func<ClusterMembershipSnapshot, bool> condition)
    {
        await foreach (var snapshot in membership.MembershipUpdates)
        {
            if (condition(snapshot))
            {
                return;
            }
        }
    }

    private SiloAddress AddressOf(int silo) => _silos[silo].Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;

    private IModelReplicaGrain Grain(ModelReplicaId id, int by) =>
        _silos[by].Services.GetRequiredService<IGrainFactory>().GetGrain<IModelReplicaGrain>(id.ToString());

    private async Task LoadAsync(ModelReplicaId id, int by) =>
        Assert.NotNull((await Grain(id, by).EnsureLoadedAsync(Spec, CancellationToken.None)).Description);

    private void AssertIsWhereItsKeySays(ModelReplicaId id) => Assert.Equal(
        [id.Silo],
        Enumerable.Range(0, _silos.Count)
            .Where(silo => _silos[silo].Services.GetRequiredService<ILocalReplicas>().TryGet(id, out _))
            .Select(AddressOf));

    private async Task GoneAsync(ModelReplicaId id)
    {
        var limit = Task.Delay(Wait.Limit);
        while (_silos.Any(silo => silo.Services.GetRequiredService<ILocalReplicas>().TryGet(id, out _)))
        {
            Assert.False(limit.IsCompleted, "the replica does not end");
            await Task.Yield();
        }
    }
}
