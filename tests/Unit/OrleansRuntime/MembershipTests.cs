using System.Collections.Immutable;
using System.Net;
using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Membership;
using Orleans.Configuration;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class MembershipTests
{
    [Fact]
    public void Document_OfAMembership_BecomesTheSameAgain()
    {
        var snapshot = new ClusterMembershipSnapshot(
            new[] { new ClusterMember(Silos.A, SiloStatus.Active, "a"), new ClusterMember(Silos.B, SiloStatus.Dead, "b") }.ToImmutableDictionary(member => member.SiloAddress),
            new MembershipVersion(7));

        var again = System.Text.Json.JsonSerializer.Deserialize<MembershipDocument>(MembershipDocument.Of(snapshot).Write())!.ToSnapshot();

        Assert.Equal(snapshot.Version, again.Version);
        Assert.Equal(snapshot.Members, again.Members);
    }

    /// <summary>A gateway that starts while a silo joins kept the membership without it, and sent nothing to that silo's copies.</summary>
    [Fact]
    public async Task Start_WhileTheMembershipChanges_KeepsTheLater()
    {
        var map = new OvertakenMap(MembershipDocument.Key, Membership(1, Silos.A), Membership(2, Silos.A, Silos.B));
        using var calls = new LostCalls(TimeProvider.System);
        using var membership = new ReplicatedMembership(map, calls);

        await membership.StartAsync(default);
        await map.Told.Soon();

        Assert.Equal(new MembershipVersion(2), membership.CurrentSnapshot.Version);
        Assert.Equal(2, membership.CurrentSnapshot.Members.Count);
    }

    [Fact]
    public void DirectoryCache_EndedElsewhere_ForgetsOnlyThatSilo()
    {
        var cache = new DirectoryCache();
        var grain = GrainId.Create("model", "m");
        cache.AddOrUpdate(Address(grain, Silos.A), 1);

        Assert.False(cache.Remove(Address(grain, Silos.B)));
        Assert.True(cache.LookUp(grain, out var known, out var version));
        Assert.Equal((Silos.A, 1), (known.SiloAddress, version));
        Assert.True(cache.Remove(grain));
        Assert.False(cache.LookUp(grain, out _, out _));
    }

    [Fact]
    public void Endpoints_OfOneOfMany_HaveTheGatewaysPortAfterTheSilos()
    {
        int silo;
        using (var held = new HeldPorts())
        {
            silo = held.TryHold(IPAddress.Loopback, 0)!.Value;
        }

        using var endpoints = new SiloEndpoints(
            new ActorRuntimeOptions { AdvertisedEndpoint = new IPEndPoint(IPAddress.Loopback, silo) }, new Cluster.Runtime.MessagingOptions(), alone: false);
        var orleans = new EndpointOptions();
        endpoints.Configure(orleans);

        Assert.Equal(silo, orleans.SiloPort);
        Assert.InRange(orleans.GatewayPort, silo + 1, IPEndPoint.MaxPort);
        Assert.Equal(orleans.GatewayPort, orleans.GatewayListeningEndpoint.Port);
    }

    [Fact]
    public void Endpoints_OfOneAlone_HaveAFreePortAndNoGateway()
    {
        using var endpoints = new SiloEndpoints(new ActorRuntimeOptions(), new Cluster.Runtime.MessagingOptions(), alone: true);
        var orleans = new EndpointOptions();
        endpoints.Configure(orleans);

        Assert.InRange(orleans.SiloPort, 1024, IPEndPoint.MaxPort);
        Assert.Equal(0, orleans.GatewayPort);
    }

    private static byte[] Membership(long version, params SiloAddress[] silos) => MembershipDocument.Of(new ClusterMembershipSnapshot(
        silos.ToImmutableDictionary(static silo => silo, static silo => new ClusterMember(silo, SiloStatus.Active, "")), new MembershipVersion(version))).Write();

    private static GrainAddress Address(GrainId grain, SiloAddress silo) =>
        new() { GrainId = grain, SiloAddress = silo, ActivationId = ActivationId.NewId(), MembershipVersion = new MembershipVersion(1) };
}
