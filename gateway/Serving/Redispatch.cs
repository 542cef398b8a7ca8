using System.Collections.Immutable;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Gateway.Routing;
using Cluster.Gateway.Tracing;

namespace Cluster.Gateway.Serving;

/// <summary>
/// A request that its first replica did not answer. It goes to another replica if one is gone, cannot be reached or has a full queue, at most three tries in all. An
/// answer of the model itself is final. A request that a silo had when it was lost is sent again once, because it may have taken the silo down. A version that is not
/// in memory is loaded. While no replica can be reached the request waits, within its deadline.
/// </summary>
internal sealed class Redispatch(InferenceDispatcher dispatcher, InferCall call, long start)
{
    /// <summary>Calls that were delivered, whichever replicas they went to; and looks for where an alias leads.</summary>
    private const int MaxTries = 3;

    /// <summary>Calls that may be lost with their silos.</summary>
    private const int MaxLosses = 2;

    /// <summary>How long a request waits for a replica. Longer than it takes to find a hung silo dead and to load its models elsewhere.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>How long after a model was loaded this process may hear of it: far longer than that takes while Redis answers.</summary>
    private static readonly TimeSpan MaxHearing = TimeSpan.FromSeconds(5);

    private InferCall _call = call;
    private Attempt _last = Attempt.Lost($"every replica of model '{call.Model}' is on a silo that cannot be reached now");
    private TriedReplicas _tried;
    private ModelReplicaId? _moved;
    private long _version;
    private long? _woken;
    private int _tries;
    private ImmutableArray<SiloAddress> _lost = [];
    private int _finds;
    private bool _called;
    private bool _waited;

    private enum Step
    {
        Call,
        Load,
        Wait,
        Stop,
    }

    /// <summary>Goes on after a first call.</summary>
    public ValueTask<DispatchedReply> RunAsync(VersionRoute route, ReplicaRoute replica, Attempt attempt, CancellationToken cancellationToken)
    {
        Take(route, replica, attempt);
        return RunAsync(cancellationToken);
    }

    public async ValueTask<DispatchedReply> RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_last.End == AttemptEnd.Abandoned)
            {
                return End(InferReply.Failed(GivenUp()));
            }

            if (_lost.Length >= MaxLosses)
            {
                return End(InferReply.Failed(Failure.Internal(
                    $"model '{_call.Model}' version {_version} failed: two silos were lost while each ran this request, and it is not sent to another")));
            }

            if (_last.End == AttemptEnd.Final || _tries >= MaxTries)
            {
                return End(_last.Reply);
            }

            var change = dispatcher.Changes.Next;
            if (!dispatcher.Routes.TryRoute(_call.Model, _call.Version, out var route, out var missing))
            {
                if (await FindAsync(missing, change, cancellationToken).ConfigureAwait(false) is { } failure)
                {
                    return End(InferReply.Failed(failure));
                }

                continue;
            }

            var replica = dispatcher.Chooser.Choose(route, _tried);
            switch (Next(route, replica, out var lost))
            {
                case Step.Stop:
                    return End(_last.Reply);
                case Step.Load when await LoadAsync(route, lost, change, cancellationToken).ConfigureAwait(false) is { } failure:
                    return End(InferReply.Failed(failure));
                case Step.Wait when !await TryWaitAsync(change, cancellationToken).ConfigureAwait(false):
                    return End(InferReply.Failed(GivenUp()));
                case Step.Call:
                    Take(route, replica!, await CallAsync(route, replica!, cancellationToken).ConfigureAwait(false));
                    break;
                default:
                    break;
            }
        }
    }

    private async ValueTask<Attempt> CallAsync(VersionRoute route, ReplicaRoute replica, CancellationToken cancellationToken)
    {
        if (_called)
        {
            dispatcher.Metrics.Retried(_last.End);
        }

        using var span = _called ? CallSpans.BeginRetry(_last.End) : null;
        if (_lost.IsEmpty)
        {
            return await Attempt.RunAsync(replica, NextRequest(), cancellationToken).ConfigureAwait(false);
        }

        SuspectPlace? place;
        try
        {
            place = await dispatcher.Suspects.EnterAsync(replica.Silo, () => Attempt.ReachesAsync(replica, dispatcher.Time, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return new Attempt(InferReply.Failed(GivenUp()), AttemptEnd.Abandoned);
        }

        if (place is null)
        {
            return Attempt.Lost($"the silo of a replica of model '{_call.Model}' cannot be reached");
        }

        try
        {
            var attempt = await Attempt.RunAsync(replica, NextRequest(), cancellationToken).ConfigureAwait(false);
            if (attempt.End == AttemptEnd.Lost && place.Lose())
            {
                dispatcher.Suspects.Accuse(_call.Model, route.Version, [.. _lost, replica.Silo]);
            }

            return attempt;
        }
        finally
        {
            dispatcher.Suspects.Leave(replica.Silo, place);
        }
    }

    private InferRequest NextRequest() => _call.ToRequest(Remaining());

    private void Take(VersionRoute route, ReplicaRoute replica, Attempt attempt)
    {
        _called = true;
        _version = route.Version;
        _last = attempt;
        _waited = false;
        _moved = attempt.End == AttemptEnd.Moved ? replica.Id : null;
        _tried.Add(replica);
        _tries += attempt.End == AttemptEnd.Undelivered ? 0 : 1;
        _lost = attempt.End == AttemptEnd.Lost ? _lost.Add(replica.Silo) : _lost;
    }

    private Step Next(VersionRoute route, ReplicaRoute? replica, out ModelReplicaId? missing)
    {
        missing = null;
        var isNew = replica is not null && !_tried.Contains(replica);
        if (isNew)
        {
            return Step.Call;
        }

        if (_last.End == AttemptEnd.Full)
        {
            // One that would have to be loaded first is no help, nor one that has said so already.
            return Step.Stop;
        }

        if (dispatcher.Chooser.IsToBeLoaded(route, _moved, out missing))
        {
            return Step.Load;
        }

        if (dispatcher.Health.IsAlone || !dispatcher.Health.IsStoreReachable || dispatcher.Time.GetElapsedTime(start) > MaxWait)
        {
            return replica is not null && _last.End != AttemptEnd.Moved && _waited ? Step.Call : Step.Stop;
        }

        // What was lost is found dead in a moment; what asks for it before that finds it lost again.
        return replica is not null && _waited && replica.Id != _moved ? Step.Call : Step.Wait;
    }

    /// <summary>Has the model load the version. Its word that it is loaded may come before this process hears of where.</summary>
    /// <returns>Why it is not; null where it is worth another look.</returns>
    private async ValueTask<Failure?> LoadAsync(VersionRoute route, ModelReplicaId? missing, Task change, CancellationToken cancellationToken)
    {
        _version = route.Version;
        using var span = CallSpans.BeginLoad(_call.Model, route.Version);
        var left = Remaining();
        try
        {
            var loading = dispatcher.Loads.EnsureAsync(_call.Model, route.Version, missing, cancellationToken);
            await (left is { } limit ? loading.WaitAsync(limit, dispatcher.Time, cancellationToken) : loading).ConfigureAwait(false);
            return await HearAsync(_last.Reply.Failure!, change, cancellationToken).ConfigureAwait(false);
        }
        catch (ServingException exception) when (exception.Failure.Kind == FailureKind.Lost
            && dispatcher.Health is { IsAlone: false, IsStoreReachable: true }
            && dispatcher.Time.GetElapsedTime(start) <= MaxWait)
        {
            // A silo may be had in a moment.
            return await TryWaitAsync(change, cancellationToken).ConfigureAwait(false) ? null : GivenUp();
        }
        catch (ServingException exception)
        {
            // This process may not have heard yet that it is gone; then it looks for where an alias leads.
            return exception.Failure.Code == StatusCode.NotFound && ++_finds <= MaxTries && await TryWaitAsync(change, cancellationToken).ConfigureAwait(false)
                ? null
                : exception.Failure;
        }
        catch (TimeoutException)
        {
            return Failure.DeadlineExceeded($"the deadline passed while model '{_call.Model}' version {route.Text} was being loaded");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return GivenUp();
        }
    }

    private async ValueTask<Failure?> HearAsync(Failure otherwise, Task change, CancellationToken cancellationToken)
    {
        _woken ??= dispatcher.Time.GetTimestamp();
        if (dispatcher.Time.GetElapsedTime(_woken.Value) > MaxHearing)
        {
            return otherwise;
        }

        await dispatcher.Changes.WaitAsync(change, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private async ValueTask<bool> TryWaitAsync(Task change, CancellationToken cancellationToken)
    {
        _waited = true;
        try
        {
            await dispatcher.Changes.WaitAsync(change, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Where there is no route: follows an alias that has moved, and has a model loaded that waits for its first request.</summary>
    /// <returns>Why there is still none; null where it is worth another look.</returns>
    private async ValueTask<Failure?> FindAsync(Failure missing, Task change, CancellationToken cancellationToken)
    {
        try
        {
            if (dispatcher.Routes.WaitsForUse(_call.Model))
            {
                return await WakeAsync(missing, change, cancellationToken).ConfigureAwait(false);
            }

            if (++_finds > MaxTries)
            {
                return missing;
            }

            var moved = _call.Alias is { } alias && missing.Code == StatusCode.NotFound
                ? await dispatcher.Names.FollowAsync(alias, _call.Model, cancellationToken).ConfigureAwait(false)
                : null;
            _call = _call with { Model = moved ?? _call.Model };

            // Another request may just have had the model loaded.
            return moved is not null || dispatcher.Routes.TryRoute(_call.Model, _call.Version, out _, out _) ? null : missing;
        }
        catch (ServingException exception)
        {
            return exception.Failure;
        }
        catch (Exception exception) when (exception is SiloUnavailableException or TimeoutException)
        {
            return Attempt.Lost($"the silo that answers for model '{_call.Model}' was lost, or cannot be reached").Reply.Failure;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return GivenUp();
        }
    }

    /// <summary>The model's own word that it is loaded may come before this process hears of where.</summary>
    private async ValueTask<Failure?> WakeAsync(Failure missing, Task change, CancellationToken cancellationToken)
    {
        using var span = CallSpans.BeginLoad(_call.Model, _version);
        await dispatcher.Names.WakeAsync(_call.Model, cancellationToken).ConfigureAwait(false);
        return await HearAsync(missing, change, cancellationToken).ConfigureAwait(false);
    }

    private DispatchedReply End(InferReply reply) => new(reply, _call.Model, _version);

    private Failure GivenUp() => Failure.Cancelled($"the request for model '{_call.Model}' was given up by its caller");

    private TimeSpan? Remaining()
    {
        if (_call.Timeout is not { } timeout)
        {
            return null;
        }

        var left = timeout - dispatcher.Time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
