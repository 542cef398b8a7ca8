using System.Collections.Immutable;
using Cluster.Contracts.Nodes;

namespace Cluster.Unit.Serving;

/// <summary>What one silo says of the cluster, when the test lets it answer.</summary>
internal sealed class FakeCluster : IClusterGrain
{
    private readonly TaskCompletionSource<ClusterDescription> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Calls { get; private set; }

    public void Answer(string id) => _answer.SetResult(new ClusterDescription(id, 1, []));

    public void Fail(Exception exception) => _answer.SetException(exception);

    public ValueTask<ClusterDescription> DescribeAsync()
    {
        Calls++;
        return new ValueTask<ClusterDescription>(_answer.Task);
    }

    public ValueTask<NodeDescription> DrainAsync(string silo, bool drains) => throw new NotSupportedException();

    public ValueTask<ImmutableArray<PlacementDescription>> ExplainAsync(string model) => throw new NotSupportedException();

    public async ValueTask<ImmutableArray<string>> ReloadRepositoryAsync(CancellationToken cancellationToken) => [(await DescribeAsync()).Id];

    public ValueTask<bool> ReadModelAsync(string model, CancellationToken cancellationToken) => throw new NotSupportedException();
}
