using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Contracts.Models;

/// <summary>
/// One copy of one model version: an inference session with its concurrency limit, queue and statistics. The key is a
/// <see cref="ModelCopyId"/>. Being activated is being loaded, so the first call waits for the load; a load that fails throws
/// <see cref="ServingException"/> with UNAVAILABLE and the cause.
/// </summary>
[Alias("model-version")]
public interface IModelVersionGrain : IGrainWithStringKey
{
    /// <summary>Runs a request. Refusals and failures come back as values.</summary>
    [ResponseTimeout("01:00:00"), Alias("infer")]
    ValueTask<InferReply> InferAsync(InferRequest request, CancellationToken cancellationToken);

    /// <summary>What was loaded. The call to make to have it loaded.</summary>
    [ResponseTimeout("01:00:00"), Alias("describe")]
    ValueTask<ModelDescription> DescribeAsync(CancellationToken cancellationToken);

    /// <summary>What the copy has done since it was loaded.</summary>
    [Alias("statistics")]
    ValueTask<CopyStatistics> GetStatisticsAsync(CancellationToken cancellationToken);

    /// <summary>Ends the copy once the requests that it has taken are answered. Returns at once.</summary>
    [Alias("unload")]
    ValueTask UnloadAsync();
}
