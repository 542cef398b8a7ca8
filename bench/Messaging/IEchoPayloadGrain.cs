using Cluster.Contracts.Inference;

namespace Cluster.Bench.Messaging;

/// <summary>Answers with what it is sent: what a call costs beside the work.</summary>
public interface IEchoPayloadGrain : IGrainWithStringKey
{
    /// <summary>Answers with the very memory that the request came in.</summary>
    [AlwaysInterleave]
    ValueTask<InferReply> Echo(InferRequest request, CancellationToken cancellationToken);

    /// <summary>Never answers.</summary>
    [AlwaysInterleave]
    Task Hold();

    /// <summary>Calls that <see cref="Hold"/> does not answer.</summary>
    [AlwaysInterleave]
    ValueTask<int> Held();
}
