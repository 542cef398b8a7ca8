namespace Cluster.Conformance.Clients;

/// <summary>A call under way, to be watched and cancelled before it ends.</summary>
public sealed class RunningCall<TResponse, TResult>
    where TResponse : class
{
    private readonly Func<int, TimeSpan, CancellationToken, Task<IReadOnlyList<TResponse>>> _awaitResponses;
    private readonly Func<CancellationToken, Task> _cancel;

    internal RunningCall(
        Task<TResult> completion,
        Func<int, TimeSpan, CancellationToken, Task<IReadOnlyList<TResponse>>> awaitResponses,
        Func<CancellationToken, Task> cancel)
    {
        Completion = completion;
        _awaitResponses = awaitResponses;
        _cancel = cancel;
    }

    /// <summary>Ends with the call, however that ends.</summary>
    public Task<TResult> Completion { get; }

    /// <summary>
    /// The responses so far, as soon as there are <paramref name="count"/> or the call has ended; fewer when <paramref name="timeout"/> passes first.
    /// A unary call has none.
    /// </summary>
    /// <exception cref="DriverException">The call had already ended.</exception>
    public Task<IReadOnlyList<TResponse>> AwaitResponsesAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _awaitResponses(count, timeout, cancellationToken);

    /// <summary>The client cancels the call; nothing happens when it has ended. Await <see cref="Completion"/> for the outcome.</summary>
    public Task CancelAsync(CancellationToken cancellationToken = default) => _cancel(cancellationToken);
}
