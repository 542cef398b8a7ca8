using System.Runtime.InteropServices;
using Cluster.Contracts.Errors;

namespace Cluster.Contracts.Buffers;

/// <summary>
/// The payloads that leave beside the messages of one flush. The transport opens it on the thread on which a message is serialized, while that is
/// serialized; <see cref="PayloadBufferCodec"/> finds it there. Anywhere else there is none, and payloads are written into the message.
/// </summary>
/// <param name="limit">Bytes that may leave beside one message.</param>
public sealed class OutgoingPayloads(long limit)
{
    /// <summary>A shorter payload is copied into its message, because a hand-over costs about as much as the copy.</summary>
    public const int MinBytes = 8 << 10;

    /// <summary>Payloads beside the messages of one flush; those beyond are written into the message.</summary>
    public const int MaxCount = 64;

    [ThreadStatic]
    private static OutgoingPayloads? _current;

    private readonly List<Entry> _entries = [];
    private int _committed;
    private int _thread;
    private long _messageBytes;

    /// <summary>The instance that is open on this thread.</summary>
    public static OutgoingPayloads? Current => _current is { } current && current._thread == Environment.CurrentManagedThreadId ? current : null;

    /// <summary>The number of the flush; a payload is found by it and its place in the flush.</summary>
    public uint Flush { get; private set; }

    /// <summary>Payloads of the messages that are complete.</summary>
    public ReadOnlySpan<Entry> Committed => CollectionsMarshal.AsSpan(_entries)[.._committed];

    /// <summary>Makes this the one of the current thread.</summary>
    /// <param name="offset">Where in the flush the message begins.</param>
    public void Open(int offset)
    {
        if (_current != this || _thread != Environment.CurrentManagedThreadId)
        {
            _thread = Environment.CurrentManagedThreadId;
            _current = this;
        }

        Offset = offset;
    }

    /// <summary>Ends the time in which payloads are added. The message is complete.</summary>
    public void Commit()
    {
        Close();
        _committed = _entries.Count;
        _messageBytes = 0;
    }

    /// <summary>Ends the time in which payloads are added, and releases those of an incomplete message.</summary>
    public void Abandon()
    {
        Close();
        for (var i = _committed; i < _entries.Count; i++)
        {
            _entries[i].Payload.Dispose();
        }

        _entries.RemoveRange(_committed, _entries.Count - _committed);
        _messageBytes = 0;
    }

    /// <summary>Forgets the payloads, which others hold now, and begins the next flush.</summary>
    public void Next()
    {
        _entries.Clear();
        _committed = 0;
        Flush++;
    }

    /// <summary>Takes over a count of <paramref name="payload"/>.</summary>
    /// <returns>Its place in the flush; −1 if it does not leave beside the message.</returns>
    /// <exception cref="ServingException">RESOURCE_EXHAUSTED: the message is too large.</exception>
    public int Add(PayloadBuffer payload)
    {
        if (payload.Length < MinBytes || _entries.Count == MaxCount)
        {
            return -1;
        }

        if ((_messageBytes += payload.Length) > limit)
        {
            throw new ServingException(new Failure(
                StatusCode.ResourceExhausted, $"a message with {_messageBytes} bytes of payload is larger than the {limit} that are sent to another process"));
        }

        _entries.Add(new Entry(payload, Offset));
        return _entries.Count - 1;
    }

    private int Offset { get; set; }

    private void Close()
    {
        _thread = 0;
        if (_current == this)
        {
            _current = null;
        }
    }

    /// <param name="Payload">With a count of its own.</param>
    /// <param name="Offset">Where in the flush its message begins.</param>
    public readonly record struct Entry(PayloadBuffer Payload, int Offset);
}
