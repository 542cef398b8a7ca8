using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Replication;

public sealed class ReplicaTableTests
{
    private readonly ReplicaTable _table = new("map", TimeProvider.System, NullLogger.Instance);

    private ReplicatedEntry Publish(string key)
    {
        _table.Publish(key, [1]);
        Assert.True(_table.TryFind(key, out var entry));
        return entry;
    }

    [Fact]
    public void Publish_WhatIsThereAlready_ChangesNothing()
    {
        var entry = Publish("k");

        Assert.False(_table.Publish("k", [1]));
        Assert.True(_table.TryFind("k", out var still));
        Assert.Same(entry, still);
        Assert.True(_table.Publish("k", [2]));
        Assert.True(_table.Publish("k", null));
        Assert.False(_table.Publish("k", null));
        Assert.True(_table.Publish("k", [2]));
    }

    /// <summary>The store had it after the load's last page was read, and said so before the load ended.</summary>
    [Fact]
    public void EndLoad_OfWhatWasSentMeanwhile_KeepsIt()
    {
        var entry = Publish("k");
        _table.BeginLoad();
        _table.Sent(entry, "life");

        Assert.Empty(_table.EndLoad("life", reached: 0));

        Assert.Equal(["k"], _table.All.Select(static entry => entry.Key));
    }

    [Fact]
    public void EndLoad_OfWhatTheStoreHadInThisLifeAndHasNoMore_ForgetsIt()
    {
        _table.Sent(Publish("k"), "life");
        _table.BeginLoad();

        Assert.Empty(_table.EndLoad("life", reached: 0));

        Assert.Empty(_table.All);
    }

    [Fact]
    public void EndLoad_OfWhatTheStoreHadInAnEarlierLife_NamesIt()
    {
        _table.Sent(Publish("k"), "earlier");
        _table.BeginLoad();

        Assert.Equal(["k"], _table.EndLoad("life", reached: 0));

        Assert.Equal(["k"], _table.All.Select(static entry => entry.Key));
    }
}
