using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;

namespace Cluster.Grains.Replication;

/// <summary>
/// The replica of one map in this process. Of two values of a key the one with the greater sequence stays. Of two with the same sequence the one in the store does.
/// Two that publish in the same microsecond make such, and a loss of the store.
/// </summary>
internal sealed class ReplicaTable(string map, TimeProvider time, ILogger logger)
{
    private readonly ConcurrentDictionary<string, ReplicatedEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private readonly Queue<(ReplicatedEntry Entry, long Since)> _removals = new();
    private HashSet<string>? _seen;
    private volatile string? _life;
    private long _change;
    private int _count;

    public ChangeFeed Feed { get; } = new(map, logger);

    public int Count => Volatile.Read(ref _count);

    /// <summary>The life of the store that the replica follows; null before it was read.</summary>
    public string? Life => _life;

    /// <summary>The last change of the store that the replica has, with all before.</summary>
    public long Change => Volatile.Read(ref _change);

    public IEnumerable<ReplicatedEntry> All => _entries.Select(static pair => pair.Value).Where(static entry => entry.Bytes is not null);

    /// <summary>Also finds a removed one.</summary>
    public bool TryFind(string key, [NotNullWhen(true)] out ReplicatedEntry? entry) => _entries.TryGetValue(key, out entry);

    /// <returns>False: this process published the same last, and has heard of nothing newer.</returns>
    public bool Publish(string key, byte[]? content)
    {
        lock (_lock)
        {
            var isKnown = _entries.TryGetValue(key, out var known);
            if (isKnown && known!.IsOwn && known.Matches(content))
            {
                return false;
            }

            Set(known, new ReplicatedEntry(key, Math.Max(isKnown ? known!.Sequence + 1 : 1, Microseconds()), content, life: null, isOwn: true));
        }

        Feed.Tell(here: true);
        return true;
    }

    /// <summary>The store, in that life, has it now. A load that goes on meanwhile may have read past it.</summary>
    public void Sent(ReplicatedEntry entry, string life)
    {
        lock (_lock)
        {
            _seen?.Add(entry.Key);
            entry.Life = life;
        }
    }

    /// <summary>Takes what the store says. True: it is the value now, or was.</summary>
    public bool Take(StoredEntry stored, string life)
    {
        bool taken;
        lock (_lock)
        {
            taken = TakeLocked(stored, life, asked: true);
        }

        Feed.Tell(here: false);
        return taken;
    }

    /// <summary>Takes a message. False: the replica has missed some before it.</summary>
    public bool Take(in StoreMessage message)
    {
        bool complete;
        lock (_lock)
        {
            TakeLocked(message.Entry, message.Life, asked: false);
            complete = message.Life == _life && message.Change <= _change + 1;
            _change = complete ? Math.Max(_change, message.Change) : _change;
        }

        // Messages come on threads of the pool, each in a turn of its own.
        Feed.Tell(here: true);
        return complete;
    }

    /// <summary>Takes a page that follows on what the replica has. Returns how many entries are new to it.</summary>
    public int Take(StorePage page, bool follows)
    {
        var news = 0;
        lock (_lock)
        {
            foreach (var entry in page.Entries)
            {
                news += TakeLocked(entry, page.Life, asked: true) ? 1 : 0;
            }

            _change = follows ? Math.Max(_change, page.Reached) : _change;
        }

        Feed.Tell(here: false);
        return news;
    }

    /// <summary>From now on notes what the store has, until <see cref="EndLoad"/>.</summary>
    public void BeginLoad()
    {
        lock (_lock)
        {
            _seen = new HashSet<string>(StringComparer.Ordinal);
        }
    }

    /// <summary>
    /// Everything was read. What the store had before in this life and has no more was removed, so long ago that it forgot that too.
    /// Returns what it does not have: from earlier lives, or not published yet.
    /// </summary>
    public IReadOnlyList<string> EndLoad(string life, long reached)
    {
        List<string> missing = [];
        lock (_lock)
        {
            foreach (var (key, entry) in _entries)
            {
                if (entry.Life != life)
                {
                    missing.Add(key);
                }
                else if (!_seen!.Contains(key))
                {
                    DropLocked(entry);
                }
            }

            _seen = null;
            _life = life;
            _change = reached;
        }

        Feed.Tell(here: false);
        return missing;
    }

    /// <summary>Forgets an entry that the store, in the life that had it, has no more.</summary>
    public void Drop(ReplicatedEntry entry)
    {
        lock (_lock)
        {
            DropLocked(entry);
        }

        Feed.Tell(here: false);
    }

    /// <summary>Forgets old removals.</summary>
    public void Expire(TimeSpan age)
    {
        lock (_lock)
        {
            while (_removals.TryPeek(out var oldest) && time.GetElapsedTime(oldest.Since) >= age)
            {
                _removals.Dequeue();

                // One that no store has yet must still be sent.
                if (oldest.Entry.Life == _life)
                {
                    _entries.TryRemove(KeyValuePair.Create(oldest.Entry.Key, oldest.Entry));
                }
                else if (_entries.TryGetValue(oldest.Entry.Key, out var now) && now == oldest.Entry)
                {
                    _removals.Enqueue((now, time.GetTimestamp()));
                }
            }
        }
    }

    private bool TakeLocked(in StoredEntry stored, string life, bool asked)
    {
        _seen?.Add(stored.Key);
        if (_entries.TryGetValue(stored.Key, out var known) && known.Sequence >= stored.Sequence)
        {
            if (known.Sequence > stored.Sequence)
            {
                return false;
            }

            if (known.Matches(stored.Content))
            {
                known.Life = life;
                return false;
            }

            if (!asked)
            {
                return false;
            }
        }

        Set(known, new ReplicatedEntry(stored.Key, stored.Sequence, stored.Content, life));
        return true;
    }

    private void DropLocked(ReplicatedEntry entry)
    {
        if (_entries.TryRemove(KeyValuePair.Create(entry.Key, entry)) && entry.Bytes is not null)
        {
            _count--;
            Feed.Add(entry.Key);
        }
    }

    private void Set(ReplicatedEntry? known, ReplicatedEntry next)
    {
        _entries[next.Key] = next;
        _count += (next.Bytes is null ? 0 : 1) - (known?.Bytes is null ? 0 : 1);
        if (next.Bytes is null)
        {
            _removals.Enqueue((next, time.GetTimestamp()));
        }

        if (known?.Bytes is not null || next.Bytes is not null)
        {
            Feed.Add(next.Key);
        }
    }

    private long Microseconds() => (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
