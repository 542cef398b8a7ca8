using Cluster.Grains.Sessions;

namespace Cluster.Grains.Workers;

/// <summary>Requests that have one slot together.</summary>
internal sealed class InferenceBatch(ReplicaQueue queue, List<InferenceJob> jobs) : IInferenceWork
{
    public IReadOnlyList<InferenceJob> Jobs => jobs;

    /// <inheritdoc/>
    public ProcessorShare Share => queue.Share;

    /// <inheritdoc/>
    public IInferenceWork? Execute(SessionRunner runner)
    {
        foreach (var job in jobs)
        {
            job.Unwatch();
        }

        return queue.Runs.Execute(jobs, runner);
    }
}
