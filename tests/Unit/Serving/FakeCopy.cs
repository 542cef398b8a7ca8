using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;

namespace Cluster.Unit.Serving;

/// <summary>A copy that answers as the test says.</summary>
internal sealed class FakeCopy : IModelVersionGrain
{
    public static Failure Moved { get; } = Failure.Unavailable("not served here any more", TimeSpan.Zero);

    /// <summary>Requests that came.</summary>
    public List<InferRequest> Requests { get; } = [];

    public Func<InferRequest, CancellationToken, ValueTask<InferReply>> Infer { get; set; } =
        (_, _) => throw new InvalidOperationException("no answer was set");

    public Func<ModelDescription> Description { get; set; } = () => throw new ServingException(Moved);

    public Func<CopyStatistics> Statistics { get; set; } = () => throw new ServingException(Moved);

    public ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken)
    {
        Requests.Add(request);
        return Infer(request, cancellationToken);
    }

    public ValueTask<ModelDescription> DescribeAsync(CancellationToken cancellationToken) => new(Description());

    public ValueTask<CopyStatistics> GetStatisticsAsync(CancellationToken cancellationToken) => new(Statistics());

    public ValueTask UnloadAsync() => default;
}
