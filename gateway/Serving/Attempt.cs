using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>One call of a request to one copy.</summary>
internal readonly record struct Attempt(InferReply Reply, AttemptEnd End)
{
    private static readonly TimeSpan RetryLost = TimeSpan.FromSeconds(1);

    /// <summary>Makes the call. What goes wrong is in the result.</summary>
    public static async ValueTask<Attempt> RunAsync(CopyRoute copy, InferRequest request, CancellationToken cancellationToken)
    {
        copy.Load.Begin();
        try
        {
            var reply = await copy.Grain.InferAsync(request, cancellationToken).ConfigureAwait(false);
            return new Attempt(reply, reply.Succeeded ? AttemptEnd.Final : EndOf(reply.Failure));
        }
        catch (ServingException exception)
        {
            // The copy could not be activated. Where there was no room for it, another would not find room either.
            var end = EndOf(exception.Failure);
            return new Attempt(InferReply.Failed(exception.Failure), end == AttemptEnd.Full ? AttemptEnd.Final : end);
        }
        catch (SiloUnavailableException exception)
        {
            return Lost(exception.Message);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new Attempt(InferReply.Failed(Failure.Cancelled("")), AttemptEnd.Abandoned);
        }
        finally
        {
            copy.Load.End();
        }
    }

    public static Attempt Lost(string reason) => new(InferReply.Failed(Failure.Unavailable(reason, RetryLost)), AttemptEnd.Lost);

    /// <summary>Whether a failure says that the copy is not the one to ask: unavailable, and no reason to wait.</summary>
    public static bool IsMoved(Failure failure) => failure.Code == StatusCode.Unavailable && failure.RetryAfter == TimeSpan.Zero;

    private static AttemptEnd EndOf(Failure failure) =>
        IsMoved(failure) ? AttemptEnd.Moved : failure.Code == StatusCode.ResourceExhausted ? AttemptEnd.Full : AttemptEnd.Final;
}
