using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Metrics;
using Cluster.Gateway.Security;
using Cluster.Gateway.Traffic;

namespace Cluster.Gateway.Serving;

/// <summary>An inference request that has been read from its protocol.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Version">The version as text; empty for the server's choice.</param>
/// <param name="Message">A serialized <c>ModelInferRequest</c>; the receiver of the call owns it.</param>
/// <param name="Protocol">For metrics.</param>
/// <param name="Timeout">Time until the deadline of the client's protocol, or null for none.</param>
/// <param name="Method">As what metrics count it.</param>
internal readonly record struct InferCall(
    string Model, string Version, PayloadBuffer Message, Protocol Protocol, TimeSpan? Timeout, ServingMethod Method = ServingMethod.ModelInfer)
{
    /// <summary>The alias that led to <see cref="Model"/>, or null: should the model be gone, the alias is followed again.</summary>
    public string? Alias { get; init; }

    /// <summary>Of an alias with a traffic rule; null without one.</summary>
    public TrafficTicket? Ticket { get; init; }

    /// <summary>Whose request it is.</summary>
    public required Caller Caller { get; init; }
}

/// <summary>What became of a request.</summary>
/// <param name="Model">The model that was tried last.</param>
/// <param name="Version">Its version; 0 if none was found.</param>
internal readonly record struct DispatchedReply(InferReply Reply, string Model, long Version);

/// <summary>How a request came in.</summary>
internal enum Protocol
{
    Grpc,
    Rest,
}

/// <summary>Which model a request is for.</summary>
/// <param name="Model">The model's own name; empty where the request names none.</param>
/// <param name="Alias">The alias that the request named instead, or null.</param>
/// <param name="Ticket">Of an alias with a traffic rule; null without one.</param>
internal readonly record struct ModelTarget(string Model, string? Alias, TrafficTicket? Ticket = null)
{
    /// <summary>The version that a request about the model means: the one that it names, else the active one of the alias's traffic rule. Empty for the server's choice.</summary>
    public string VersionOf(string requested) => requested.Length > 0 ? requested : Ticket?.Rule.ActiveVersion ?? "";
}

/// <summary>The time that a request says it may take, in the queue and in the run. It holds beside the deadline of the protocol, which ends its call by itself.</summary>
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
    /// Runs <paramref name="call"/>. When <paramref name="limit"/> is over or the caller has gone, it is stopped and answered at once. Work that cannot be stopped,
    /// such as one long operator of a model, ends by itself, and its reply is dropped.
    /// </summary>
    /// <param name="late">Told of an exception that comes after the answer.</param>
    public static ValueTask<InferReply> InferAsync(
        IServingApi api, InferCall call, TimeLimit? limit, TimeProvider time, LateFailures late, CancellationToken cancellationToken) =>
        limit is { } set ? set.InferAsync(api, call, time, late, cancellationToken) : api.InferAsync(call, cancellationToken);

    private async ValueTask<InferReply> InferAsync(IServingApi api, InferCall call, TimeProvider time, LateFailures late, CancellationToken cancellationToken)
    {
        var stop = new CancellationTokenSource(Span, time);
        var token = stop.Token;
        var answering = AnswerAsync(api, call with { Timeout = call.Timeout < Span ? call.Timeout : Span }, stop, cancellationToken);
        await ((Task)answering.WaitAsync(token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!answering.IsCompleted)
        {
            _ = GiveUpAsync(answering, call.Model, late);

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

            // A short run stays on its caller's thread, and may turn out to be a long one.
            await Task.Yield();

            // The API owns the message from here, even if the call fails.
            return await api.InferAsync(call, stop.Token).ConfigureAwait(false);
        }
    }

    private static async Task GiveUpAsync(Task<InferReply> answering, string model, LateFailures late)
    {
        await ((Task)answering).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (answering.IsCompletedSuccessfully)
        {
            (await answering.ConfigureAwait(false)).Message?.Dispose();
        }
        else if (answering.Exception?.InnerException is { } exception)
        {
            late.Note(model, exception);
        }
    }

    private Failure Over(in InferCall call, CancellationToken cancellationToken) => cancellationToken.IsCancellationRequested
        ? Failure.Cancelled($"the request for model '{call.Model}' was given up by its caller")
        : Failure.DeadlineExceeded($"model '{call.Model}' did not answer within the {Text}");
}
