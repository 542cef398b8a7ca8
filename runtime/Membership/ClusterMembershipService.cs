using System.Globalization;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cluster.Runtime;

/// <summary>
/// What this process knows of the membership table, and its way to change it: read, decide, compare-and-set, again if somebody was
/// faster. Reads and writes of one process go one after the other, so a view that is older than the known one can only mean that the
/// table was lost or set back; then this silo puts back what it knows.
/// </summary>
internal sealed class ClusterMembershipService : IClusterMembershipService, IClusterStanding, IDisposable
{
    /// <summary>The key of the source of randomness for everything in the membership.</summary>
    public const string RandomKey = "Cluster.Runtime.Membership";

    private const int Attempts = 20;
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMilliseconds(50);

    private readonly IMembershipTable _table;
    private readonly TimeProvider _time;
    private readonly MembershipMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Random _random;
    private readonly SemaphoreSlim _gate = new(1);
    private readonly SnapshotFeed _feed = new(MembershipView.None.ToSnapshot());
    private readonly TaskCompletionSource<string> _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile MembershipView _view = MembershipView.None;
    private volatile bool _member;
    private bool _joining;
    private long _reachableSince;

    public ClusterMembershipService(
        IMembershipTable table,
        ILocalSiloDetails local,
        TimeProvider time,
        MembershipMetrics metrics,
        ILogger<ClusterMembershipService> logger,
        [FromKeyedServices(RandomKey)] Random random)
    {
        _table = table;
        _time = time;
        _metrics = metrics;
        _logger = logger;
        _random = random;
        Self = local.SiloAddress;
        metrics.ObserveMembership(() => _view);
    }

    /// <summary>A new view is known. Raised by one thread at a time; handlers must be quick.</summary>
    public event Action? Changed;

    public SiloAddress Self { get; }

    /// <summary>The membership as known now, with everything that the table tells of it.</summary>
    public MembershipView View => _view;

    /// <summary>True if this process made the table that it is a member of.</summary>
    public bool MadeTable { get; private set; }

    /// <summary>Ends, with the reason, when this silo finds itself dead without having left.</summary>
    public Task<string> Terminated => _terminated.Task;

    public ClusterMembershipSnapshot CurrentSnapshot => _feed.Current;

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => _feed.ReadAsync();

    public bool IsStoreReachable => Volatile.Read(ref _reachableSince) != 0;

    public string? Removal => _terminated.Task.IsCompletedSuccessfully ? _terminated.Task.Result : null;

    /// <summary>For how long the table has answered without a break; null if it does not.</summary>
    public TimeSpan? ReachableFor => Volatile.Read(ref _reachableSince) is var since && since != 0 ? _time.GetElapsedTime(since) : null;

    public async ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
    {
        if (minimumVersion == default || _feed.Current.Version < minimumVersion)
        {
            await ReadAsync(cancellationToken).ConfigureAwait(false);
            await _feed.WaitAsync(minimumVersion, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<bool> TryKill(SiloAddress siloAddress)
    {
        var done = await UpdateAsync(reading => MembershipDecisions.SetStatus(reading.View, siloAddress, SiloStatus.Dead, reading.Now), default).ConfigureAwait(false);
        return done == TableUpdate.Written || _view.Find(siloAddress) is { IsDead: true };
    }

    /// <summary>Reads the table; null if it cannot be reached.</summary>
    public async ValueTask<TableReading?> ReadAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await ReadLockedAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Says that this silo is alive, and reads the table if it is not the one that is known.</summary>
    public async ValueTask BeatAsync(CancellationToken cancellationToken)
    {
        var beat = await _table.BeatAsync(Self, cancellationToken).ConfigureAwait(false);
        NoteReachable(beat is not null);
        if (beat is not null
            && (beat.Version != _view.Version || beat.Incarnation != _view.Incarnation || (_member && beat.Status == SiloStatus.Dead)))
        {
            await ReadAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Adds this silo to the table. May be called again if it is not known whether that was done.</summary>
    /// <exception cref="InvalidOperationException">The table refuses it for good; the message says why.</exception>
    public async ValueTask<TableUpdate> JoinAsync(MembershipEntry joining, SiloAddress? liveElsewhere, CancellationToken cancellationToken)
    {
        string? refusal = null;
        var done = await UpdateAsync(
            reading =>
            {
                if (_joining && reading.View.Find(Self) is { Status: SiloStatus.Joining })
                {
                    return null;
                }

                _joining = true;
                MadeTable |= !reading.View.Exists;
                var decision = MembershipDecisions.Join(reading.View, joining with { Since = reading.Now }, liveElsewhere, NewIncarnation(), reading.Now);
                refusal = decision.Refusal;
                return decision.Next;
            },
            cancellationToken).ConfigureAwait(false);
        if (refusal is not null && done == TableUpdate.NothingToDo)
        {
            throw new InvalidOperationException($"{joining.Silo} cannot join the cluster: {refusal}");
        }

        return done == TableUpdate.NothingToDo ? TableUpdate.Written : done;
    }

    /// <summary>Changes the table to what <paramref name="decide"/> makes of it; it is asked again whenever somebody else was faster.</summary>
    public async ValueTask<TableUpdate> UpdateAsync(Func<TableReading, MembershipView?> decide, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var attempt = 1; attempt <= Attempts; attempt++)
            {
                if (_terminated.Task.IsCompleted)
                {
                    return TableUpdate.Terminated;
                }

                if (await ReadLockedAsync(cancellationToken).ConfigureAwait(false) is not { } reading)
                {
                    return TableUpdate.Unavailable;
                }

                if (decide(reading) is not { } next)
                {
                    return TableUpdate.NothingToDo;
                }

                if (await WriteLockedAsync(reading.View, next, cancellationToken).ConfigureAwait(false) is var written && written != TableWrite.Conflict)
                {
                    return written == TableWrite.Written ? TableUpdate.Written : TableUpdate.Unavailable;
                }
            }

            return TableUpdate.Unavailable;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _feed.Dispose();

    private async ValueTask<TableReading?> ReadLockedAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var reading = await _table.ReadAsync(cancellationToken).ConfigureAwait(false);
            NoteReachable(reading is not null);
            if (reading is null)
            {
                return null;
            }

            var (decision, next) = Judge(reading.View);
            if (decision != RestoreDecision.PutBack)
            {
                Accept(reading.View, decision == RestoreDecision.Terminate);
                return reading;
            }

            // Read again also after a success: who was put back has a new sign of life in the table.
            if (await WriteLockedAsync(reading.View, next!, cancellationToken).ConfigureAwait(false) == TableWrite.Written)
            {
                _metrics.Restored();
                Log.MembershipRestored(_logger, next!.Version);
            }
        }

        return null;
    }

    private (RestoreDecision Decision, MembershipView? Next) Judge(MembershipView read) => _member && !_terminated.Task.IsCompleted
        ? MembershipRestore.Decide(_view, read, Self, NewIncarnation())
        : (RestoreDecision.Accept, null);

    private async ValueTask<TableWrite> WriteLockedAsync(MembershipView expected, MembershipView next, CancellationToken cancellationToken)
    {
        var written = await _table.TryWriteAsync(expected, next, cancellationToken).ConfigureAwait(false);
        if (written == TableWrite.Written)
        {
            Accept(next, terminate: false);
        }
        else if (written == TableWrite.Conflict)
        {
            await Task.Delay(LongestBackoff * NextDouble(), _time, cancellationToken).ConfigureAwait(false);
        }

        NoteReachable(written != TableWrite.Unavailable);
        return written;
    }

    private void Accept(MembershipView view, bool terminate)
    {
        // A process that only watches keeps what it knows until the members have put it back.
        if (view.Version > _view.Version)
        {
            _member |= !view.IsDead(Self);
            _view = view;
            _feed.Publish(view.ToSnapshot());
            Log.MembershipChanged(_logger, view.Version, view.Describe());
            Changed?.Invoke();
        }

        if (terminate)
        {
            var voters = string.Join(", ", view.Find(Self)?.Suspicions.Select(static vote => vote.By.ToString()) ?? []);
            var reason = string.Create(CultureInfo.InvariantCulture, $"membership version {view.Version}, suspected by {(voters.Length > 0 ? voters : "nobody")}");
            if (_terminated.TrySetResult(reason))
            {
                Log.Terminated(_logger, Self, reason);
            }
        }
    }

    private void NoteReachable(bool reachable)
    {
        if (!reachable)
        {
            Volatile.Write(ref _reachableSince, 0);
        }
        else if (Volatile.Read(ref _reachableSince) == 0)
        {
            Interlocked.CompareExchange(ref _reachableSince, _time.GetTimestamp(), 0);
        }
    }

    private string NewIncarnation()
    {
        lock (_random)
        {
            return _random.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
        }
    }

    private double NextDouble()
    {
        lock (_random)
        {
            return _random.NextDouble();
        }
    }
}
