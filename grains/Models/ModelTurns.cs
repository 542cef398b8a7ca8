using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Models;

/// <summary>
/// When a model's changes are carried out: one at a time and each to its end, whether or not its caller still waits. The others wait for their turn. What comes up
/// meanwhile is acted on in a turn of its own. Used in the turns of the model's grain alone.
/// </summary>
internal sealed class ModelTurns : IDisposable
{
    private readonly IModelWorkGrain _self;
    private readonly ModelKeeper _keeper;
    private readonly ModelChange _change;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly RetryTimer _retry;
    private readonly SemaphoreSlim _turn = new(1);
    private bool _scheduled;

    /// <summary>Whether the last change failed, which is in the log.</summary>
    private bool _isFailing;
    private int _changes;

    /// <param name="self">The same grain, by a message.</param>
    public ModelTurns(ModelGrain grain, IModelWorkGrain self, ModelKeeper keeper, ModelChange change, TimeProvider time, ILogger logger)
    {
        _self = self;
        _keeper = keeper;
        _change = change;
        _time = time;
        _logger = logger;
        _retry = new RetryTimer(grain, RetryAsync, time);
    }

    /// <summary>Whether no change is under way or due.</summary>
    public bool AreIdle => _changes == 0 && !_scheduled;

    /// <summary>Whether a change is under way.</summary>
    public bool AreUnderWay => _changes > 0;

    private ModelGrainState State => _keeper.State;

    /// <summary>Waits for a turn, which lasts until the returned object is disposed.</summary>
    public async Task<Turn> TakeAsync()
    {
        await _turn.WaitAsync();
        return new Turn(_turn);
    }

    /// <summary>Does what follows from the model's state, if there is a model. Within a turn.</summary>
    public async Task ChangeAsync()
    {
        if (State.Registration is null)
        {
            return;
        }

        using var change = Begin();
        try
        {
            if (await _change.CarryOutAsync() is { } wait)
            {
                _retry.LookIn(wait);
            }
        }
        catch
        {
            // Such as for a store that is away: no request comes for what gateways take for failed.
            _retry.LookIn(ReplicaLoader.NoSiloRetry);
            throw;
        }

        _isFailing = false;
        RetryLaterFailures();
    }

    /// <summary>Counts a change as under way until the returned object is disposed. Within a turn.</summary>
    public Change Begin()
    {
        _changes++;
        return new Change(this);
    }

    /// <summary>Has <see cref="CarryOutAsync"/> run, once for all that ask before it does.</summary>
    public void Schedule()
    {
        if (!_scheduled)
        {
            _scheduled = true;
            _ = RunAsync();
        }
    }

    /// <summary>What <see cref="Schedule"/> asked for.</summary>
    public async Task CarryOutAsync()
    {
        using var turn = await TakeAsync();
        _scheduled = false;
        await ChangeAsync();
    }

    /// <summary>Has what failed tried again when its time comes.</summary>
    public void RetryLaterFailures()
    {
        if (!_retry.IsSet && State.Failed.Values.Min(failed => failed.RetryOn) is { } next)
        {
            _retry.LookIn(next - _time.GetUtcNow());
        }
        else if (!_retry.IsSet && !State.FailedOn.IsEmpty)
        {
            _retry.LookIn(RetryTimer.Max);
        }
    }

    /// <summary>After the last call was answered.</summary>
    public void Dispose() => _turn.Dispose();

    private async Task RunAsync()
    {
        try
        {
            await _self.CarryOutAsync();
        }
        catch (Exception exception)
        {
            // This turn runs without a caller to tell; the next reason to act tries again.
            _scheduled = false;
            if (!_isFailing)
            {
                _isFailing = true;
                Log.NotCarriedOut(_logger, _keeper.Name, CauseOf(exception));
            }
        }
    }

    /// <summary>Orleans hands on a failure of the grain's own process as a text with its trace. A start that fails while models load is one.</summary>
    private static string CauseOf(Exception exception) => exception.ToString().Contains(nameof(ObjectDisposedException), StringComparison.Ordinal)
        ? "this process ends"
        : exception.Message.ReplaceLineEndings("\n").Split('\n', 2)[0];

    private Task RetryAsync()
    {
        Schedule();
        return Task.CompletedTask;
    }

    /// <summary>One turn.</summary>
    internal readonly struct Turn(SemaphoreSlim turn) : IDisposable
    {
        public void Dispose() => turn.Release();
    }

    /// <summary>One change.</summary>
    internal readonly struct Change(ModelTurns turns) : IDisposable
    {
        public void Dispose() => turns._changes--;
    }
}

/// <summary>What a model's grain asks of itself, so that it happens in its turn.</summary>
[Alias("model-work")]
internal interface IModelWorkGrain : IGrainWithStringKey
{
    /// <summary>Does what follows from the model's state.</summary>
    [ResponseTimeout("01:00:00"), Alias("carry-out")]
    ValueTask CarryOutAsync();
}

/// <summary>Has a grain look at tries that are due, at the earliest of the requested times. Keeps the grain active meanwhile.</summary>
/// <param name="look">Runs in a turn of the grain.</param>
internal sealed class RetryTimer(Grain grain, Func<Task> look, TimeProvider time)
{
    /// <summary>Least time between two tries of a load that found no room.</summary>
    private static readonly TimeSpan Min = TimeSpan.FromSeconds(1);

    private IGrainTimer? _timer;
    private DateTimeOffset _at;

    /// <summary>Most time between two looks, so that the grain is not collected meanwhile.</summary>
    public static TimeSpan Max { get; } = TimeSpan.FromMinutes(1);

    public bool IsSet => _timer is not null;

    /// <summary>A look that comes too early for one of its reasons has to ask for the next.</summary>
    /// <param name="wait">At least a second. A look comes after <see cref="Max"/> at the latest.</param>
    public void LookIn(TimeSpan wait)
    {
        wait = wait > Min ? wait : Min;
        var at = time.GetUtcNow() + wait;
        if (_timer is not null && _at <= at)
        {
            return;
        }

        _at = at;
        _timer?.Dispose();
        _timer = grain.RegisterGrainTimer(
            static (self, _) => self.LookAsync(),
            this,
            new GrainTimerCreationOptions(wait < Max ? wait : Max, Max) { KeepAlive = true });
    }

    private Task LookAsync()
    {
        _timer?.Dispose();
        _timer = null;
        return look();
    }
}
