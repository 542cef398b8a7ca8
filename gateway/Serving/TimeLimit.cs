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

    /// <summary>Runs <paramref name="call"/> and stops it when <paramref name="limit"/> is over.</summary>
    public static ValueTask<InferReply> InferAsync(
        IServingApi api, InferCall call, TimeLimit? limit, TimeProvider time, CancellationToken cancellationToken) =>
        limit is { } set ? set.InferAsync(api, call, time, cancellationToken) : api.InferAsync(call, cancellationToken);

    private async ValueTask<InferReply> InferAsync(IServingApi api, InferCall call, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Span, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        var left = call.Timeout < Span ? call.Timeout : Span;

        // The API owns the message from here, even if the call fails.
        var reply = await api.InferAsync(call with { Timeout = left }, either.Token).ConfigureAwait(false);
        return deadline.IsCancellationRequested && reply.Failure?.Code == StatusCode.Cancelled
            ? InferReply.Failed(Failure.DeadlineExceeded($"model '{call.Model}' did not answer within the {Text}"))
            : reply;
    }
}
