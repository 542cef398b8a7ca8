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
