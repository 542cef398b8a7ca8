using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Gateway.Routing;

namespace Cluster.Gateway.Serving;

/// <summary>
/// A request whose way is not straight. A copy that is not there any more, cannot be reached or has a full queue is followed by another, at most three
/// tries in all; what the model itself answered is final. While no copy can be reached the request waits, within its deadline, until one can be had.
/// </summary>
internal sealed class Redispatch(InferenceDispatcher dispatcher, InferCall call, long start)
{
    /// <summary>Calls that reached a copy, whichever copies they went to; and looks for where an alias leads.</summary>
    private const int MaxTries = 3;

    /// <summary>How long a request waits for a copy to be had: longer than it takes to find a hung silo dead and to load what it held.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>How long after a model was loaded this process may hear of it: far longer than that takes while Redis answers.</summary>
    private static readonly TimeSpan MaxHearing = TimeSpan.FromSeconds(5);

    private InferCall _call = call;
    private Attempt _last = Attempt.Lost($"every copy of model '{call.Model}' is on a silo that cannot be reached now");
    private TriedCopies _tried;
    private SiloAddress? _lost;
    private long _version;
    private long? _woken;
    private int _tries;
    private int _finds;
    private bool _called;
    private bool _waited;

    private enum Step
    {
        Call,
        Wait,
        Stop,
    }

    /// <summary>Goes on after a first call.</summary>
    public ValueTask<DispatchedReply> RunAsync(VersionRoute route, CopyRoute copy, Attempt attempt, CancellationToken cancellationToken)
    {
        Take(route, copy, attempt);
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

            var copy = dispatcher.Chooser.Choose(route, _tried);
            switch (Next(copy))
            {
                case Step.Stop:
                    return End(_last.Reply);
                case Step.Wait when !await TryWaitAsync(change, cancellationToken).ConfigureAwait(false):
                    return End(InferReply.Failed(GivenUp()));
                case Step.Call:
                    dispatcher.Metrics.Retried(_last.End);
                    var request = new InferRequest { Message = _call.Message, Timeout = Remaining() };
                    Take(route, copy!, await Attempt.RunAsync(copy!, request, cancellationToken).ConfigureAwait(false));
                    break;
                default:
                    break;
            }
        }
    }

    private void Take(VersionRoute route, CopyRoute copy, Attempt attempt)
    {
        _called = true;
        _version = route.Version;
        _last = attempt;
        _waited = false;
        _tried.Add(copy.Number);

        // A call that was to load its copy and came to a silo that is just being found dead has reached nobody, nor has a second one to a lost silo.
        _tries += attempt.End == AttemptEnd.Lost && (copy.Silo is null || copy.Silo == _lost) ? 0 : 1;
        _lost = attempt.End == AttemptEnd.Lost ? copy.Silo : null;
    }

    private Step Next(CopyRoute? copy)
    {
        var inMemory = copy is not null && dispatcher.Chooser.IsInMemory(copy);
        switch (_last.End)
        {
            case AttemptEnd.Full:
                // Another copy may have room; one that would have to be loaded first is no help, nor one that has said so already.
                return inMemory && !_tried.Contains(copy!.Number) ? Step.Call : Step.Stop;
            case AttemptEnd.Lost when inMemory && (copy!.Silo != _lost || _waited):
                return Step.Call;
            case AttemptEnd.Lost when dispatcher.Health.IsAlone
                || !dispatcher.Health.IsStoreReachable
                || dispatcher.Time.GetElapsedTime(start) > MaxWait:
                return !_called && copy is not null ? Step.Call : Step.Stop;
            case AttemptEnd.Lost:
                // What was lost is found dead in a moment; who asks for it before that finds it lost again.
                return copy is null || (_called && !_waited) ? Step.Wait : Step.Call;
            default:
                return copy is null ? Step.Wait : Step.Call;
        }
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

            // What waits for nobody any more may just have been loaded for another request.
            return moved is not null || dispatcher.Routes.TryRoute(_call.Model, _call.Version, out _, out _) ? null : missing;
        }
        catch (ServingException exception)
        {
            return exception.Failure;
        }
        catch (SiloUnavailableException exception)
        {
            return Attempt.Lost(exception.Message).Reply.Failure;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return GivenUp();
        }
    }

    /// <summary>The model's own word that it is loaded may come before this process hears of where.</summary>
    private async ValueTask<Failure?> WakeAsync(Failure missing, Task change, CancellationToken cancellationToken)
    {
        await dispatcher.Names.WakeAsync(_call.Model, cancellationToken).ConfigureAwait(false);
        _woken ??= dispatcher.Time.GetTimestamp();
        if (dispatcher.Time.GetElapsedTime(_woken.Value) > MaxHearing)
        {
            return missing;
        }

        await dispatcher.Changes.WaitAsync(change, cancellationToken).ConfigureAwait(false);
        return null;
    }

    private DispatchedReply End(InferReply reply)
    {
        _call.Message.Dispose();
        return new DispatchedReply(reply, _call.Model, _version);
    }

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
