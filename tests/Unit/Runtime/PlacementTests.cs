using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Grains;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Cluster.Unit.Runtime;

public sealed class PlacementTests
{
    private static Task<TestSilo> StartAsync(Action<IServiceCollection>? more = null) => TestSilo.StartAsync(services: services =>
    {
        services.AddPlacementDirector<TestPlacement, TestPlacementDirector>();
        more?.Invoke(services);
    });

    [Fact]
    public async Task Placement_Custom_IsAskedOnceForAGrain()
    {
        await using var silo = await StartAsync();

        await silo.Get<IPlacedGrain>("here").Ping().Soon();
        await silo.Get<IPlacedGrain>("here").Ping().Soon();

        Assert.Equal(["placing here among 1 by TestPlacement"], silo.Probe.Events);
    }

    [Fact]
    public async Task Placement_Refused_FailsTheCall()
    {
        await using var silo = await StartAsync();

        var error = await Assert.ThrowsAsync<SiloUnavailableException>(() => silo.Get<IPlacedGrain>("nowhere").Ping().Soon());

        Assert.Equal("full", error.Message);
    }

    [Fact]
    public async Task Placement_OnAnotherSilo_SendsTheCallThere()
    {
        await using var silo = await StartAsync(services => services.AddSingleton<IMessageTransport, RecordingTransport>());

        _ = silo.Get<IPlacedGrain>("away").Ping();

        Assert.Contains("placed/away Ping to S10.0.0.1:11111:1", silo.Probe.Events);
    }

    [Fact]
    public async Task Directory_NamingAnotherSilo_SendsTheCallThere()
    {
        await using var silo = await StartAsync(services => services.AddSingleton<IMessageTransport, RecordingTransport>());
        var grain = silo.Get<IPlacedGrain>("here");
        await silo.Runtime.Directory.Register(GrainAddress.NewActivationAddress(TestPlacementDirector.Away, grain.GetGrainId()));

        _ = grain.Ping();

        Assert.Equal(["placed/here Ping to S10.0.0.1:11111:1"], silo.Probe.Events);
    }

    [Fact]
    public async Task Placement_OnAnotherSiloWithoutTransport_FailsTheCall()
    {
        await using var silo = await StartAsync();

        await Assert.ThrowsAsync<SiloUnavailableException>(() => silo.Get<IPlacedGrain>("away").Ping().Soon());
    }

    [Fact]
    public async Task Directory_HoldsTheActivationUntilItEnds()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<ILifecycleGrain>("a");
        var id = await grain.Activation().Soon();

        var address = await silo.Runtime.Directory.Lookup(grain.GetGrainId());
        Assert.Equal(id, address!.ActivationId.ToString());
        Assert.Equal(silo.Runtime.Silo.SiloAddress, address.SiloAddress);
        var ended = silo.Runtime.Catalog.Find(grain.GetGrainId())!.Deactivated;
        await grain.DeactivateNow().Soon();
        await ended.Soon();

        Assert.Null(await silo.Runtime.Directory.Lookup(grain.GetGrainId()));
    }

    [Fact]
    public async Task Directory_WithALeftOverEntryOfThisSilo_DoesNotKeepTheGrainFromActivating()
    {
        await using var silo = await TestSilo.StartAsync();
        var grain = silo.Get<IEchoGrain>("a");
        await silo.Runtime.Directory.Register(GrainAddress.NewActivationAddress(silo.Runtime.Silo.SiloAddress, grain.GetGrainId()));

        Assert.Equal("x", await grain.Echo("x").Soon());
    }
}
