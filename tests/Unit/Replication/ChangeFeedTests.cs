using Cluster.Grains.Replication;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cluster.Unit.Replication;

public sealed class ChangeFeedTests
{
    [Fact]
    public void Tell_OfChangesBeforeAnyListened_TellsTheLaterOnesAlone()
    {
        var feed = new ChangeFeed("m", NullLogger.Instance);
        var told = new List<string>();
        feed.Add("before");
        feed.Changed += told.Add;
        feed.Add("after");

        feed.Tell(here: true);

        Assert.Equal(["after"], told);
    }
}
