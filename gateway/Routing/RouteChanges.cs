using Cluster.Contracts.Errors;
using Cluster.Contracts.Serving;

namespace Cluster.Gateway.Routing;

/// <summary>Lets requests wait for a reason to look at their routes again: another serving state, or another silo that can be reached.</summary>
internal sealed class RouteChanges : IDisposable
{
    /// <summary>How long one wait takes at most: that a silo may be tried again shows only in the passing of time.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a change that was carried out may take to reach this process: far longer than that takes while Redis answers.</summary>
    private static readonly TimeSpan MaxHearing = TimeSpan.FromSeconds(2);

    private readonly IServingStates _states;
    private readonly ISiloHealth _health;
    private readonly TimeProvider _time;
    private TaskCompletionSource _next = New();

    public RouteChanges(IServingStates states, ISiloHealth health, TimeProvider time)
    {
        _states = states;
        _health = health;
        _time = time;
        states.Changed += OnState;
        health.Changed += Signal;
    }

    /// <summary>Ends with the next change. Taken before a look at the routes, it misses no change after that look.</summary>
    public Task Next => Volatile.Read(ref _next).Task;

    /// <summary>Waits for <paramref name="change"/>, a while at most.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task WaitAsync(Task change, CancellationToken cancellationToken)
    {
        await change.WaitAsync(Longest, _time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
    }

    /// <summary>
    /// Returns once this process has heard of a change that was carried out elsewhere, so that its caller's next request finds it. After 2 s at the latest.
    /// </summary>
    /// <param name="hasHeard">Whether the model's serving state, null where it has none, tells of the change.</param>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    public async Task HearAsync(string model, Func<ModelServingState?, bool> hasHeard, CancellationToken cancellationToken)
    {
        var start = _time.GetTimestamp();
        try
        {
            await _states.RefreshAsync(model, cancellationToken).ConfigureAwait(false);
        }
        catch (ServingException)
        {
            // The store went away after the change: the news still comes by itself, once it is back.
        }

        for (var change = Next; !hasHeard(_states.TryGet(model, out var state) ? state : null) && _time.GetElapsedTime(start) < MaxHearing; change = Next)
        {
            await WaitAsync(change, cancellationToken).ConfigureAwait(false);
        }
    }

    public void Dispose()
    {
        _states.Changed -= OnState;
        _health.Changed -= Signal;
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void OnState(string model) => Signal();

    private void Signal() => Interlocked.Exchange(ref _next, New()).TrySetResult();
}
