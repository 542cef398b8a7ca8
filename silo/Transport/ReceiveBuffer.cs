using System.Buffers;
using System.Runtime.CompilerServices;

namespace Cluster.Silo.Transport;

/// <summary>
/// Bytes of a connection that have come and were not taken yet. The buffer grows with them, not with the length that a header promises. A wait amid a message that
/// takes too long closes the connection.
/// </summary>
internal sealed class ReceiveBuffer : IDisposable
{
    private const int Size = 64 << 10;

    /// <summary>After a frame with payloads the next has some too: its head is read, and little of the payload that would have to be copied.</summary>
    private const int HeadReadBytes = 2 << 10;

    private readonly IFrameChannel _channel;
    private readonly StallWatch _stall;
    private readonly Action<Exception?> _ended;
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(Size);
    private int _start;
    private int _end;

    /// <param name="limit">Of a wait amid a message.</param>
    /// <param name="ended">Told of a wait that took longer.</param>
    public ReceiveBuffer(IFrameChannel channel, TimeSpan limit, TimeProvider time, Action<Exception?> ended)
    {
        _channel = channel;
        _ended = ended;
        _stall = new StallWatch(time, limit, () => Stalled(limit));
    }

    /// <summary>Bytes that have come and were not taken.</summary>
    public int Held => _end - _start;

    /// <summary>Whether payloads are likely to follow the next head.</summary>
    public bool ExpectsPayloads { get; set; }

    /// <summary>A part of what is held, counted from its start; good until the next receive.</summary>
    public Memory<byte> Peek(int offset, int length) => _buffer.AsMemory(_start + offset, length);

    public void Skip(int count) => _start += count;

    /// <summary>Has at least <paramref name="count"/> bytes here.</summary>
    /// <param name="isAmid">Whether a message has begun; also where bytes are held.</param>
    /// <returns>False at the end.</returns>
    public async ValueTask<bool> FillAsync(long count, bool isAmid)
    {
        while (Held < count)
        {
            MakeRoom(count);
            var room = _buffer.AsMemory(_end, (int)Math.Min(_buffer.Length - _end, Math.Max(ExpectsPayloads ? HeadReadBytes : Size, count - Held)));
            var received = await ReceiveAsync(room, isAmid || Held > 0).ConfigureAwait(false);
            if (received == 0)
            {
                return false;
            }

            _end += received;
        }

        return true;
    }

    /// <summary>Fills <paramref name="target"/> with what follows.</summary>
    /// <exception cref="InvalidDataException">The connection ended before.</exception>
    public async ValueTask ReadAsync(Memory<byte> target)
    {
        var held = Math.Min(target.Length, Held);
        _buffer.AsSpan(_start, held).CopyTo(target.Span);
        _start += held;
        for (target = target[held..]; target.Length > 0;)
        {
            var count = await ReceiveAsync(target, isAmid: true).ConfigureAwait(false);
            target = count > 0 ? target[count..] : throw new InvalidDataException("the connection ended within a message");
        }
    }

    public void Dispose()
    {
        _stall.Dispose();
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void MakeRoom(long count)
    {
        var held = Held;
        if (_start > 0 && (held == 0 || _buffer.Length - _start < count))
        {
            _buffer.AsSpan(_start, held).CopyTo(_buffer);
            (_start, _end) = (0, held);
        }

        if (_end < _buffer.Length && (count <= Size || _end < _buffer.Length / 2))
        {
            if (held == 0 && _buffer.Length > Size * 2)
            {
                Replace(Size);
            }

            return;
        }

        Replace((int)Math.Min(Math.Max(count, Size), 2L * _buffer.Length));
    }

    private void Replace(int length)
    {
        var other = ArrayPool<byte>.Shared.Rent(length);
        _buffer.AsSpan(_start, Held).CopyTo(other);
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (other, 0, Held);
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> target, bool isAmid)
    {
        var receive = _channel.ReceiveAsync(target);
        return receive.IsCompleted || !isAmid ? receive : WatchAsync(receive);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WatchAsync(ValueTask<int> receive)
    {
        _stall.Begin();
        try
        {
            return await receive.ConfigureAwait(false);
        }
        finally
        {
            _stall.End();
        }
    }

    private void Stalled(TimeSpan limit)
    {
        _ended(new TimeoutException($"a message that had begun brought no further byte for {limit.TotalSeconds:0.#} s"));
        _channel.Close();
    }
}

/// <summary>
/// Notices that a wait takes too long. Made for many short waits, one at a time: a wait costs a clock reading, and the timer runs only while there are waits.
/// </summary>
internal sealed class StallWatch : IDisposable
{
    private const long Idle = long.MinValue;

    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;
    private readonly Action _stalled;
    private readonly ITimer _timer;
    private long _since = Idle;
    private int _armed;

    /// <param name="stalled">Called from a timer.</param>
    public StallWatch(TimeProvider time, TimeSpan limit, Action stalled)
    {
        _time = time;
        _limit = limit;
        _stalled = stalled;
        _timer = time.CreateTimer(static watch => ((StallWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Begin()
    {
        Interlocked.Exchange(ref _since, _time.GetTimestamp());
        if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(_limit, Timeout.InfiniteTimeSpan);
        }
    }

    public void End() => Volatile.Write(ref _since, Idle);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        // Before the look: a wait that begins after it arms the timer again.
        Volatile.Write(ref _armed, 0);
        Interlocked.MemoryBarrier();
        var since = Volatile.Read(ref _since);
        if (since == Idle)
        {
            return;
        }

        var left = _limit - _time.GetElapsedTime(since);
        if (left <= TimeSpan.Zero)
        {
            _stalled();
        }
        else if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(left, Timeout.InfiniteTimeSpan);
        }
    }
}
