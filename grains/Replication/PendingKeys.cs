using System.Diagnostics.CodeAnalysis;

namespace Cluster.Grains.Replication;

/// <summary>Keys that are to be sent, each once, in the order in which they were added first.</summary>
internal sealed class PendingKeys
{
    private readonly Lock _lock = new();
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly LinkedList<string> _order = [];
    private int _taken;

    /// <summary>Those that are being sent included.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _order.Count + _taken;
            }
        }
    }

    public void Add(string key)
    {
        lock (_lock)
        {
            if (_known.Add(key))
            {
                _order.AddLast(key);
            }
        }
    }

    /// <summary>Takes the first key, before its entry is looked at: a key that is added from then on is sent again.</summary>
    public bool TryTake([NotNullWhen(true)] out string? key)
    {
        lock (_lock)
        {
            key = _order.First?.Value;
            if (key is null)
            {
                return false;
            }

            _order.RemoveFirst();
            _known.Remove(key);
            _taken++;
            return true;
        }
    }

    /// <summary>Ends what <see cref="TryTake"/> began.</summary>
    /// <param name="unsent">Those of the taken keys that are to be sent again, before all others.</param>
    public void EndTaking(IReadOnlyList<string> unsent)
    {
        lock (_lock)
        {
            _taken = 0;
            for (var i = unsent.Count - 1; i >= 0; i--)
            {
                if (_known.Add(unsent[i]))
                {
                    _order.AddFirst(unsent[i]);
                }
            }
        }
    }
}
