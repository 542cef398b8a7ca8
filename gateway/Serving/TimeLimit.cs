using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;

namespace Cluster.Gateway.Serving;

/// <summary>The time that a request says it may take, in the queue and in the run; it holds beside the deadline of the protocol, which ends its call by itself.</summary>
/// <param name="Span">From now on.</param>
/// <param name="Text">For the error: "50 ms of X-Request-Timeout".</param>
internal readonly record struct TimeLimit(TimeSpan Span, string Text)
{
    /// <summary>The limit that a request's parameter <c>timeout</c> sets.</summary>
    public static TimeLimit? OfParameter(TimeSpan? timeout) =>
        timeout is { } span ? new TimeLimit(span, FormattableString.Invariant($"{span.TotalMicroseconds:F0} µs of the request parameter 'timeout'")) : null;

    /// <summary>The shorter of two.</summary>
    public static TimeLimit? Least(TimeLimit? left, TimeLimit? right) =>
        left is null || right?.Span < left.Value.Span ? right : left;

    /// <summary>
    /// Runs <paramref name="call"/>. When <paramref name="limit"/> is over or the caller has gone, it is stopped and answered at once: what cannot be stopped, such as one long
    /// operator of a model, ends by itself, and its reply is given up.
    /// </summary>
    public static ValueTask<InferReply> InferAsync(
        IServingApi api, InferCall call, TimeLimit? limit, TimeProvider time, CancellationToken cancellationToken) =>
        limit is { } set ? set.InferAsync(api, call, time, cancellationToken) : api.InferAsync(call, cancellationToken);

    private async ValueTask<InferReply> InferAsync(IServingApi api, InferCall call, TimeProvider time, CancellationToken cancellationToken)
    {
        var stop = new CancellationTokenSource(Span, time);
        var token = stop.Token;
        var answering = AnswerAsync(api, call with { Timeout = call.Timeout < Span ? call.Timeout : Span }, stop, cancellationToken);
        await ((Task)answering.WaitAsync(token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!answering.IsCompleted)
        {
            _ = GiveUpAsync(answering);

            // This is amid the cancellation: what else waits for it comes before the answer is written.
            await Task.Yield();
            return InferReply.Failed(Over(call, cancellationToken));
        }

        var reply = await answering.ConfigureAwait(false);
        return token.IsCancellationRequested && reply.Failure?.Code == StatusCode.Cancelled ? InferReply.Failed(Over(call, cancellationToken)) : reply;
    }

    /// <summary>The call itself, which may last longer than its caller waits: <paramref name="stop"/> is disposed of with its end.</summary>
    private static async Task<InferReply> AnswerAsync(IServingApi api, InferCall call, CancellationTokenSource stop, CancellationToken cancellationToken)
    {
        using (stop)
        {
            // Gone before the source, which its callback cancels.
            await using var gone = cancellationToken.UnsafeRegister(static stop => ((CancellationTokenSource)stop!).Cancel(), stop);

            // The API owns the message from here, even if the call fails.
            return await api.InferAsync(call, stop.Token).ConfigureAwait(false);
        }
    }

    private static async Task GiveUpAsync(Task<InferReply> answering)
    {
        var reply = await answering.ConfigureAwait(false);
        reply.Message?.Dispose();
    }

    private Failure Over(in InferCall call, CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested
        ? Failure.Cancelled($"the request for model '{call.Model}' was given up by its caller")
        : Failure.DeadlineExceeded($"model '{call.Model}' did not answer within the {Text}");
}
