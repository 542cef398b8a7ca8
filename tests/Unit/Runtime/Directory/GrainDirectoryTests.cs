using Cluster.Tests.Common;
using Cluster.Unit.Runtime.Membership;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Runtime.Directory;

/// <summary>What every grain directory does, seen from silo A in a cluster of A and B, with C dead.</summary>
public sealed class GrainDirectoryTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly GrainId Grain = GrainId.Create("model", "a|b/1/0");
    private readonly MembershipView _view = Silos.Table(Silos.Row(Silos.A), Silos.Row(Silos.B), Silos.Row(Silos.C, SiloStatus.Dead));

    private static GrainAddress On(SiloAddress silo) => GrainAddress.NewActivationAddress(silo, Grain) with { MembershipVersion = new MembershipVersion(10) };

    private async Task<(IGrainDirectory Directory, Func<SiloAddress, Task> Kill)> CreateAsync(string store)
    {
        var connection = store == Stores.Redis ? redis.Connect() : null;
        var keys = store == Stores.Redis ? redis.NewCluster() : null;
        IMembershipTable table = connection is not null ? new RedisMembershipTable(connection, keys!) : new InMemoryMembershipTable(TimeProvider.System);
        var membership = new ClusterMembershipService(
            table, new FixedSiloDetails(Silos.A), TimeProvider.System, redis.NewMetrics(), NullLogger<ClusterMembershipService>.Instance, new Random(1));
        Assert.Equal(TableWrite.Written, await table.TryWriteAsync(MembershipView.None, _view, default));
        await membership.Refresh();
        IGrainDirectory directory = connection is not null
            ? new RedisGrainDirectory(connection, keys!, membership, TimeProvider.System, NullLogger<RedisGrainDirectory>.Instance)
            : new InMemoryGrainDirectory(membership);
        return (directory, async silo => Assert.True(await membership.TryKill(silo)));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Register_AFreeGrain_GivesItAnEpoch(string store)
    {
        var (directory, _) = await CreateAsync(store);
        Assert.Null(await directory.Lookup(Grain));
        var mine = On(Silos.A);

        var registered = await directory.Register(mine);

        Assert.True(mine.Matches(registered));
        Assert.True(registered!.LoadEpoch > 0);
        Assert.Equal(registered, await directory.Lookup(Grain));
        Assert.Equal(registered, await directory.Register(mine));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Register_ATakenGrain_ReturnsTheHolder(string store)
    {
        var (directory, _) = await CreateAsync(store);
        var first = await directory.Register(On(Silos.B));

        Assert.Equal(first, await directory.Register(On(Silos.A)));
        Assert.Equal(first, await directory.Lookup(Grain));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Register_InPlaceOfTheHolder_ReplacesOnlyThatOne(string store)
    {
        var (directory, _) = await CreateAsync(store);
        var first = await directory.Register(On(Silos.B));
        var second = On(Silos.A);

        Assert.Equal(first, await directory.Register(second, On(Silos.B)));
        var replaced = await directory.Register(second, first);

        Assert.True(second.Matches(replaced));
        Assert.True(replaced!.LoadEpoch > first!.LoadEpoch);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Entry_OfASiloThatDied_IsNoneAndIsReplaced(string store)
    {
        var (directory, kill) = await CreateAsync(store);
        var first = await directory.Register(On(Silos.B));
        await kill(Silos.B);

        Assert.Null(await directory.Lookup(Grain));
        var second = On(Silos.A);
        var registered = await directory.Register(second);

        Assert.True(second.Matches(registered));
        Assert.True(registered!.LoadEpoch > first!.LoadEpoch);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Unregister_RemovesOnlyThatActivationWithThatEpoch(string store)
    {
        var (directory, _) = await CreateAsync(store);
        var mine = await directory.Register(On(Silos.A));

        await directory.Unregister(On(Silos.A));
        await directory.Unregister(mine! with { LoadEpoch = mine.LoadEpoch + 1 });
        Assert.Equal(mine, await directory.Lookup(Grain));

        await directory.Unregister(mine);
        Assert.Null(await directory.Lookup(Grain));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Unregister_OfARegistrationThatWasNeverConfirmed_GoesByTheActivation(string store)
    {
        var (directory, _) = await CreateAsync(store);
        var mine = On(Silos.A);
        await directory.Register(mine);

        await directory.Unregister(mine);

        Assert.Null(await directory.Lookup(Grain));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task UnregisterSilos_RemovesTheirEntriesOnly(string store)
    {
        var (directory, _) = await CreateAsync(store);
        await Task.WhenAll(Enumerable.Range(0, 1200).Select(number => directory.Register(
            GrainAddress.NewActivationAddress(number % 2 == 0 ? Silos.A : Silos.B, GrainId.Create("model", $"{number}"))))).Soon();

        await directory.UnregisterSilos([Silos.B]);

        for (var number = 0; number < 1200; number += 97)
        {
            Assert.Equal(number % 2 == 0, await directory.Lookup(GrainId.Create("model", $"{number}")) is not null);
        }
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Register_ByManyAtOnce_LetsOneWin(string store)
    {
        var (directory, _) = await CreateAsync(store);

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(() => directory.Register(On(number % 2 == 0 ? Silos.A : Silos.B))))).Soon();

        Assert.Single(results.Distinct());
    }
}
