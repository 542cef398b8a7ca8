using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Grains.Sessions.Batching;

/// <summary>One request of a run that answers several, and what became of it.</summary>
internal sealed class BatchItem(PayloadBuffer message, CancellationToken cancellation = default)
{
    public PayloadBuffer Message => message;

    /// <summary>Ends when the caller gives up.</summary>
    public CancellationToken Cancellation => cancellation;

    /// <summary>The caller owns its memory; null where the request is to run by itself.</summary>
    public InferReply? Reply { get; set; }

    /// <summary>Times of the whole run; the rows are this request's.</summary>
    public RunTimes Times { get; set; }

    /// <summary>Takes an answer back that was written before the run of its group turned out to have failed.</summary>
    public void GiveUp()
    {
        Reply?.Message?.Dispose();
        Reply = null;
    }

    /// <summary>Answers it as given up, if its caller has.</summary>
    public bool EndIfGivenUp()
    {
        if (!cancellation.IsCancellationRequested)
        {
            return false;
        }

        GiveUp();
        Reply = InferReply.Failed(Failure.Cancelled("the caller gave up before the run of several requests had its answer"));
        return true;
    }
}

/// <summary>A run that answered several requests.</summary>
/// <param name="Times">Of the run; the rows are those of all of them.</param>
/// <param name="Requests">Those that have its answer; callers may have given up meanwhile.</param>
internal readonly record struct BatchRun(RunTimes Times, int Requests);
