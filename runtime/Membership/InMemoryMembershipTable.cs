using System.Collections.Immutable;

namespace Cluster.Runtime;

/// <summary>The table of silos that share a process.</summary>
internal sealed class InMemoryMembershipTable(TimeProvider time) : IMembershipTable
{
    private readonly Lock _lock = new();
    private readonly List<Action> _watchers = [];
    private readonly Dictionary<SiloAddress, DateTimeOffset> _alive = [];
    private MembershipView _view = MembershipView.None;

    public ValueTask<TableReading?> ReadAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return new(new TableReading(_view, _alive.ToImmutableDictionary(), time.GetUtcNow()));
        }
    }

    public ValueTask<TableWrite> TryWriteAsync(MembershipView expected, MembershipView next, CancellationToken cancellationToken)
    {
        Action[] watchers;
        lock (_lock)
        {
            if (_view.Version != expected.Version || _view.Incarnation != expected.Incarnation)
            {
                return new(TableWrite.Conflict);
            }

            foreach (var added in next.Entries.Keys.Except(expected.Entries.Keys))
            {
                _alive[added] = time.GetUtcNow();
            }

            foreach (var removed in expected.Entries.Keys.Except(next.Entries.Keys))
            {
                _alive.Remove(removed);
            }

            _view = next;
            watchers = [.. _watchers];
        }

        foreach (var watcher in watchers)
        {
            watcher();
        }

        return new(TableWrite.Written);
    }

    public ValueTask<TableBeat?> BeatAsync(SiloAddress silo, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            var dead = _view.IsDead(silo);
            if (!dead)
            {
                _alive[silo] = time.GetUtcNow();
            }

            return new(new TableBeat(_view.Version, _view.Incarnation, dead ? SiloStatus.Dead : _view.Find(silo)!.Status));
        }
    }

    public ValueTask<bool> TryWatchAsync(Action changed, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            _watchers.Add(changed);
        }

        return new(true);
    }

    /// <summary>Loses everything, as a Redis that was restarted without its data; watchers stay.</summary>
    public void Lose()
    {
        lock (_lock)
        {
            _view = MembershipView.None;
            _alive.Clear();
        }
    }
}
