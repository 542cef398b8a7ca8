using Cluster.Contracts.Registry;
using Cluster.Gateway.ModelMesh;
using Cluster.Grains.Registry;
using Cluster.Tests.Common;
using Cluster.Unit.Serving;
using Xunit;

namespace Cluster.Unit.Gateway.ModelMesh;

public sealed class RegistryChangesTests
{
    private readonly InMemoryServingStates _states = new();
    private readonly InMemoryAliases _aliases = new();

    [Fact]
    public async Task Take_ManyChangesOfOneModel_HoldsItOnce()
    {
        using var changes = new RegistryChanges(_states, _aliases);
        for (var i = 0; i < 100; i++)
        {
            _states.Publish(States.Model("m", States.Ready(1)));
        }

        _aliases.Publish(new AliasState("m", null, "m", "m"));

        Assert.Equal([("m", false), ("m", true)], (await changes.TakeAsync(default).AsTask().Soon()).Order());
    }

    [Fact]
    public async Task Take_NothingYet_WaitsForAChange()
    {
        using var changes = new RegistryChanges(_states, _aliases);
        var taking = changes.TakeAsync(default).AsTask();
        Assert.False(taking.IsCompleted);

        _states.Publish(States.Model("m", States.Ready(1)));
        Assert.Equal(("m", false), Assert.Single(await taking.Soon()));

        using var giveUp = new CancellationTokenSource();
        taking = changes.TakeAsync(giveUp.Token).AsTask();
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => taking.Soon());
    }
}
