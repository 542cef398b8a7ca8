using System.Diagnostics;
using System.Threading.Channels;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Runtime.Membership;

/// <summary>What every membership table does.</summary>
public sealed class MembershipTableTests(RedisFixture redis) : IClassFixture<RedisFixture>
{
    private static readonly MembershipView One = Silos.Table(Silos.A);

    private IMembershipTable Create(string store) =>
        store == Stores.Redis ? new RedisMembershipTable(redis.Connect(), redis.NewCluster()) : new InMemoryMembershipTable(TimeProvider.System);

    private static async Task<TableReading> ReadAsync(IMembershipTable table) =>
        await table.ReadAsync(default) ?? throw new InvalidOperationException("the table cannot be reached");

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Read_OfNothing_IsNone(string store)
    {
        var reading = await ReadAsync(Create(store));

        Assert.False(reading.View.Exists);
        Assert.Equal("", reading.View.Incarnation);
        Assert.Empty(reading.View.Entries);
        Assert.Empty(reading.LastAlive);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_OfEverythingARowHas_IsReadBack(string store)
    {
        var table = Create(store);
        var row = new MembershipEntry(
            SiloAddress.FromParsableString("[fe80::1]:11111@-5"), SiloStatus.ShuttingDown, "a \"name\" | with, marks", "gateway", ["x", "gpu=no"],
            Silos.Start, [new Suspicion(Silos.B, Silos.Start.AddMilliseconds(1)), new Suspicion(Silos.C, Silos.Start)]);
        var view = Silos.Table(row, Silos.Row(Silos.A)) with { Unsettled = [Silos.A, row.Silo] };

        Assert.Equal(TableWrite.Written, await table.TryWriteAsync(MembershipView.None, view, default));

        var read = (await ReadAsync(table)).View;
        Assert.Equal((10, "one"), (read.Version, read.Incarnation));
        Assert.Equal(view.Unsettled, read.Unsettled);
        var back = read.Find(row.Silo)!;
        Assert.Equal(row with { Labels = [], Suspicions = [] }, back with { Labels = [], Suspicions = [] });
        Assert.Equal(row.Labels.AsEnumerable(), back.Labels);
        Assert.Equal(row.Suspicions.AsEnumerable(), back.Suspicions);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_WithAnotherVersionOrLife_IsAConflict(string store)
    {
        var table = Create(store);
        await table.TryWriteAsync(MembershipView.None, One, default);
        var next = One.With(Silos.Row(Silos.B));

        Assert.Equal(TableWrite.Conflict, await table.TryWriteAsync(MembershipView.None, next, default));
        Assert.Equal(TableWrite.Conflict, await table.TryWriteAsync(One with { Version = 9 }, next, default));
        Assert.Equal(TableWrite.Conflict, await table.TryWriteAsync(One with { Incarnation = "two" }, next, default));
        Assert.Equal([Silos.A], (await ReadAsync(table)).View.Entries.Keys);
        Assert.Equal(TableWrite.Written, await table.TryWriteAsync(One, next, default));
        Assert.Equal((11, 2), ((await ReadAsync(table)).View.Version, (await ReadAsync(table)).View.Entries.Count));
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_ByManyAtOnce_LetsOneWin(string store)
    {
        var table = Create(store);
        await table.TryWriteAsync(MembershipView.None, One, default);

        var results = await Task.WhenAll(Enumerable.Range(2, 20).Select(
            number => Task.Run(() => table.TryWriteAsync(One, One.With(Silos.Row(Silos.At(number))), default).AsTask()))).Soon();

        Assert.Single(results, TableWrite.Written);
        Assert.Equal(19, results.Count(static result => result == TableWrite.Conflict));
        Assert.Equal(2, (await ReadAsync(table)).View.Entries.Count);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Write_WithoutARow_RemovesIt(string store)
    {
        var table = Create(store);
        var two = Silos.Table(Silos.A, Silos.B);
        await table.TryWriteAsync(MembershipView.None, two, default);

        await table.TryWriteAsync(two, two with { Version = 11, Entries = two.Entries.Remove(Silos.A) }, default);

        var reading = await ReadAsync(table);
        Assert.Equal([Silos.B], reading.View.Entries.Keys);
        Assert.Equal([Silos.B], reading.LastAlive.Keys);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Beat_OfALivingSilo_IsNotedWithoutANewVersion(string store)
    {
        var table = Create(store);
        await table.TryWriteAsync(MembershipView.None, One, default);
        var before = await ReadAsync(table);

        // The clock of Redis has milliseconds: beat until it has moved on.
        TableBeat? beat;
        do
        {
            beat = await table.BeatAsync(Silos.A, default);
        }
        while ((await ReadAsync(table)).LastAlive[Silos.A] == before.LastAlive[Silos.A]);

        Assert.Equal(new TableBeat(10, "one", SiloStatus.Active), beat);
        Assert.Equal(10, (await ReadAsync(table)).View.Version);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Beat_OfADeadOrUnknownSilo_LeavesNoSignOfLife(string store)
    {
        var table = Create(store);
        await table.TryWriteAsync(MembershipView.None, Silos.Table(Silos.Row(Silos.A), Silos.Row(Silos.B, SiloStatus.Dead)), default);
        var before = await ReadAsync(table);

        Assert.Equal(SiloStatus.Dead, (await table.BeatAsync(Silos.B, default))!.Status);
        Assert.Equal(SiloStatus.Dead, (await table.BeatAsync(Silos.C, default))!.Status);

        var after = await ReadAsync(table);
        Assert.Equal(before.LastAlive[Silos.B], after.LastAlive[Silos.B]);
        Assert.DoesNotContain(Silos.C, after.LastAlive.Keys);
    }

    [Theory]
    [InlineData(Stores.Memory)]
    [InlineData(Stores.Redis)]
    public async Task Watch_AWrite_CallsBack(string store)
    {
        var table = Create(store);
        await table.ReadAsync(default);
        var changes = Channel.CreateUnbounded<bool>();
        var since = Stopwatch.StartNew();
        while (!await table.TryWatchAsync(() => changes.Writer.TryWrite(true), default))
        {
            Assert.True(since.Elapsed < Wait.Limit, "the table cannot be watched");
            await Task.Yield();
        }

        await table.TryWriteAsync(MembershipView.None, One, default);

        await changes.Reader.ReadAsync().AsTask().Soon();
    }
}
