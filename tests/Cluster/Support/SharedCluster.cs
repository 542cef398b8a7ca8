using Cluster.Tests.Common;
using Xunit;

namespace Cluster.ClusterTests.Support;

/// <summary>
/// A cluster that tests use one after the other, started when the first asks for it. Each gets it whole: every process runs and is a member, and no model is
/// registered. A test that fails takes it along; the next gets another.
/// </summary>
public abstract class SharedCluster : IAsyncDisposable
{
    private TestCluster? _cluster;
    private int _uses;

    public async ValueTask DisposeAsync() => await EndAsync();

    /// <summary>The cluster for the next test.</summary>
    internal async Task<TestCluster> TakeAsync(ITestOutputHelper output)
    {
        _cluster ??= await TestCluster.StartAsync(Setup(), output.WriteLine, static cluster => cluster.Models.Put(TestCluster.Shipped, OnnxModels.Small(TestCluster.ShippedNumber)));
        _cluster.Use($"-{++_uses}", output.WriteLine);
        return _cluster;
    }

    /// <summary>Makes the cluster whole again after a test, or ends it.</summary>
    internal async Task GiveBackAsync(bool failed)
    {
        if (failed)
        {
            await EndAsync();
        }

        if (_cluster is null)
        {
            return;
        }

        try
        {
            await _cluster.ClearAsync();
        }
        catch
        {
            await EndAsync();
            throw;
        }
    }

    /// <summary>Ends the cluster, if there is one.</summary>
    internal async Task EndAsync()
    {
        if (_cluster is { } cluster)
        {
            _cluster = null;
            await cluster.DisposeAsync();
        }
    }

    private protected abstract ClusterSetup Setup();
}

/// <summary>Three silos with room for everything, the first with labels, and two gateways.</summary>
[CollectionDefinition(Name)]
public sealed class RoomyCluster : SharedCluster, ICollectionFixture<RoomyCluster>
{
    public const string Name = "roomy cluster";

    private protected override ClusterSetup Setup() => new() { Labels = ["gpu,ssd"] };
}

/// <summary>Three silos with room for four models of <see cref="Mebibytes"/> each, and two gateways.</summary>
[CollectionDefinition(Name)]
public sealed class TightCluster : SharedCluster, ICollectionFixture<TightCluster>
{
    public const string Name = "tight cluster";

    /// <summary>Of each silo.</summary>
    public const string Capacity = "24MiB";

    /// <summary>The size of a model that fits four times.</summary>
    public const int Mebibytes = 5;

    /// <summary>How many of them fit in all silos together.</summary>
    public const int Fitting = 12;

    // The guard counts in load times, and the first loads are the slowest: with its default, models hardly change places on a slow machine.
    private protected override ClusterSetup Setup() => new() { Capacity = Capacity, Settings = ["Cache__ChurnLoadTimes=3"] };
}

/// <summary>Three silos and two gateways, each a machine of its own.</summary>
[CollectionDefinition(Name)]
public sealed class NetworkCluster : SharedCluster, ICollectionFixture<NetworkCluster>
{
    public const string Name = "cluster in a network";

    private protected override ClusterSetup Setup()
    {
        Requires.NoLack(NetworkLab.MissingReason);
        return new() { Network = new NetworkLab() };
    }
}
