namespace Cluster.Contracts.Buffers;

/// <summary>
/// The payloads that came beside the messages that are being read on this thread. The transport opens it there; <see cref="PayloadBufferCodec"/> takes
/// them out.
/// </summary>
public sealed class IncomingPayloads
{
    [ThreadStatic]
    private static IncomingPayloads? _current;

    private readonly List<Entry> _entries = [];
    private uint _flush;

    /// <summary>The instance that is open on this thread.</summary>
    public static IncomingPayloads? Current => _current;

    /// <summary>Payloads that are not taken yet.</summary>
    public int Count => _entries.Count;

    /// <summary>Makes this the one of the current thread.</summary>
    public void Open() => _current = this;

    /// <summary>Ends that.</summary>
    public void Close()
    {
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <summary>Gives back the payloads that were not taken, and begins with those of another flush.</summary>
    public void Reset(uint flush)
    {
        foreach (var entry in _entries)
        {
            entry.Payload.Dispose();
        }

        _entries.Clear();
        _flush = flush;
    }

    /// <param name="place">Its place in the flush, as the sender counted.</param>
    /// <param name="payload">With a count, which goes to its taker.</param>
    public void Add(int place, PayloadBuffer payload) => _entries.Add(new Entry(place, payload));

    /// <summary>Takes a payload out, once.</summary>
    /// <exception cref="InvalidDataException">There is no such payload: the message does not belong to this flush.</exception>
    public PayloadBuffer Take(uint flush, int place, long length)
    {
        for (var i = 0; flush == _flush && i < _entries.Count; i++)
        {
            var entry = _entries[i];
            if (entry.Place == place && entry.Payload.Length == length)
            {
                _entries.RemoveAt(i);
                return entry.Payload;
            }
        }

        throw new InvalidDataException($"a message refers to a payload of {length} bytes that did not come with it");
    }

    private readonly record struct Entry(int Place, PayloadBuffer Payload);
}
