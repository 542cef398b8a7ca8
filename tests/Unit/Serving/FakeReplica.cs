using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;

namespace Cluster.Unit.Serving;

/// <summary>A replica that answers as the test says.</summary>
internal sealed class FakeReplica : IModelReplicaGrain
{
    public static Failure Moved { get; } = Failure.Moved("not loaded any more");

    /// <summary>Requests that came.</summary>
    public List<InferRequest> Requests { get; } = [];

    public Func<InferRequest, CancellationToken, ValueTask<InferReply>> Infer { get; set; } =
        (_, _) => throw new InvalidOperationException("no answer was set");

    public Func<ModelDescription?> Description { get; set; } = () => null;

    /// <summary>Ends before it is described; at once by default.</summary>
    public Task Reached { get; set; } = Task.CompletedTask;

    public Func<ReplicaStatistics?> Statistics { get; set; } = () => null;

    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        Requests.Add(request);
        return Infer(request, cancellationToken);
    }

    public ValueTask<ReplicaLoad> EnsureLoadedAsync(ReplicaSpec spec, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is loaded here");

    public async ValueTask<ModelDescription?> DescribeAsync(CancellationToken cancellationToken)
    {
        await Reached;
        return Description();
    }

    public ValueTask<ReplicaStatistics?> GetStatisticsAsync(CancellationToken cancellationToken) => new(Statistics());

    public ValueTask UnloadAsync() => default;
}
