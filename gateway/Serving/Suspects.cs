using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cluster.Contracts;
using Cluster.Gateway.Routing;
using Microsoft.Extensions.Logging;

namespace Cluster.Gateway.Serving;

/// <summary>
/// Requests whose silo was lost while it had them: one of them may have taken it down. Each silo gets them one after the other. So the one that takes down the next
/// silo is known, and no other is lost a second time with it.
/// </summary>
internal sealed class Suspects(IGrainFactory grains, ControlCalls control, TimeProvider time, ILogger<Suspects> logger)
{
    private readonly ConcurrentDictionary<SiloAddress, SuspectLane> _lanes = new();

    /// <summary>Returns when the suspects before have been answered, or have run for a while. Leave the place once the call has ended.</summary>
    /// <param name="answers">Asks the silo, before this suspect counts as one that it has: silos may have been lost at once.</param>
    /// <returns>Null: the silo does not answer.</returns>
    public async ValueTask<SuspectPlace?> EnterAsync(SiloAddress silo, Func<ValueTask<bool>> answers, CancellationToken cancellationToken)
    {
        var lane = _lanes.GetOrAdd(silo, static _ => new SuspectLane());
        var place = lane.Queue(time);
        try
        {
            await place.Before.WaitAsync(cancellationToken).ConfigureAwait(false);
            if (await answers().ConfigureAwait(false))
            {
                place.Begin();
                return place;
            }
        }
        catch
        {
            Leave(silo, place);
            throw;
        }

        Leave(silo, place);
        return null;
    }

    public void Leave(SiloAddress silo, SuspectPlace place)
    {
        place.Dispose();
        if (_lanes.TryGetValue(silo, out var lane) && lane.IsEmpty)
        {
            _lanes.TryRemove(KeyValuePair.Create(silo, lane));
        }
    }

    /// <summary>Tells a model that one request for a version was lost with each of these silos. Returns at once.</summary>
    public void Accuse(string model, long version, ImmutableArray<SiloAddress> silos) => _ = AccuseAsync(model, version, silos);

    private async Task AccuseAsync(string model, long version, ImmutableArray<SiloAddress> silos)
    {
        try
        {
            // The model's own grain may have been on one of them.
            await control.RunAsync(() => grains.GetModel(model).AccuseAsync(version, silos), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // No request waits for it. A request that takes down silos again is reported again.
            Log.NotAccused(logger, model, version, exception.Message);
        }
    }
}

/// <summary>The suspects on their way to one silo. Thread-safe.</summary>
internal sealed class SuspectLane
{
    private readonly Lock _lock = new();
    private readonly List<SuspectPlace> _running = [];
    private Task _last = Task.CompletedTask;
    private int _places;
    private int _lostWith;

    public bool IsEmpty
    {
        get
        {
            lock (_lock)
            {
                return _places == 0;
            }
        }
    }

    public SuspectPlace Queue(TimeProvider time)
    {
        lock (_lock)
        {
            var place = new SuspectPlace(this, _last, time);
            _places++;
            _last = place.Passed;
            return place;
        }
    }

    public void Begin(SuspectPlace place)
    {
        lock (_lock)
        {
            _running.Add(place);
        }
    }

    /// <summary>The silo was lost with the suspects that were running.</summary>
    /// <returns>Whether that was one suspect alone.</returns>
    public bool Lose()
    {
        lock (_lock)
        {
            // The first that notices sees all of them.
            _lostWith = _lostWith == 0 ? _running.Count : _lostWith;
            return _lostWith == 1;
        }
    }

    public void End(SuspectPlace place)
    {
        lock (_lock)
        {
            _running.Remove(place);
            _places--;
        }
    }
}

/// <summary>One suspect's turn at a silo.</summary>
internal sealed class SuspectPlace(SuspectLane lane, Task before, TimeProvider time) : IDisposable
{
    /// <summary>One that runs longer does not hold up those behind it.</summary>
    private static readonly TimeSpan MaxTurn = TimeSpan.FromMilliseconds(100);

    private readonly TaskCompletionSource _passed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ITimer? _timer;

    /// <summary>Ends when this one may begin.</summary>
    public Task Before => before;

    /// <summary>Ends when the next may begin.</summary>
    public Task Passed => _passed.Task;

    /// <summary>The silo was lost while it had this suspect.</summary>
    /// <returns>Whether it had no other: what happened to it is then this one's doing.</returns>
    public bool Lose() => lane.Lose();

    public void Begin()
    {
        lane.Begin(this);
        _timer = time.CreateTimer(static passed => ((TaskCompletionSource)passed!).TrySetResult(), _passed, MaxTurn, Timeout.InfiniteTimeSpan);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        lane.End(this);

        // A suspect that gave up before its turn leaves the turn to the one before it.
        before.ContinueWith(
            static (_, passed) => ((TaskCompletionSource)passed!).TrySetResult(), _passed, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}

/// <summary>Event ids 3220 to 3239.</summary>
internal static partial class Log
{
    [LoggerMessage(3220, LogLevel.Warning, "Did not tell {Model} that a request for version {Version} took down two silos: {Reason}")]
    public static partial void NotAccused(ILogger logger, string model, long version, string reason);

    [LoggerMessage(3230, LogLevel.Error, "A request for {Model} failed unexpectedly after its time limit; and {HeldBack} times so since the last line")]
    public static partial void FailedLate(ILogger logger, Exception exception, string model, long heldBack);
}
