using System.Globalization;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>One cluster for cells in turn, made whole after each; another where that fails.</summary>
internal sealed class FaultClusters(int silos) : IAsyncDisposable
{
    private TestCluster? _cluster;
    private int _uses;

    public async ValueTask DisposeAsync()
    {
        if (_cluster is { } cluster)
        {
            _cluster = null;
            await cluster.DisposeAsync();
        }
    }

    public async Task<TestCluster> TakeAsync()
    {
        // Without a network of their own the processes run on this machine: all but the cuts can be measured there.
        var network = NetworkLab.MissingReason is null && _cluster is null ? new NetworkLab() : null;
        _cluster ??= await TestCluster.StartAsync(new ClusterSetup { Silos = silos, Gateways = 1, Network = network });
        _cluster.Use(string.Create(CultureInfo.InvariantCulture, $"-{++_uses}"));
        return _cluster;
    }

    /// <summary>Starts what was lost and removes all models.</summary>
    /// <returns>What is left where that fails; null where the cluster is whole.</returns>
    public async Task<string?> GiveBackAsync()
    {
        try
        {
            await _cluster!.ClearAsync();
            return null;
        }
        catch (Exception error) when (error is TimeoutException or GrpcCallException or HttpRequestException)
        {
            return error.Message;
        }
    }
}
