using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Cluster.Runtime;

/// <summary>
/// Writes frames to a socket, many in one call of the kernel, because each call may wake the other end. Small ones are copied
/// together, long ones sent from where they lie.
/// </summary>
internal sealed class FrameWriter(NetworkStream stream)
{
    /// <summary>Bytes that are copied for one write, at most.</summary>
    public const int MaxCopied = 64 << 10;

    private readonly byte[] _copied = GC.AllocateUninitializedArray<byte>(MaxCopied);
    private readonly List<ArraySegment<byte>> _parts = [];
    private int _filled;
    private int _listed;

    // A socket refers to the parts that it has sent until it sends others.
    private bool _isHolding;

    /// <summary>Bytes that can still be copied.</summary>
    public int Room => MaxCopied - _filled;

    /// <summary>Bytes that are sent from where they lie.</summary>
    public long InPlace { get; private set; }

    /// <summary>The next bytes, for the caller to fill; at most <see cref="Room"/>.</summary>
    public Span<byte> Reserve(int count)
    {
        _filled += count;
        return _copied.AsSpan(_filled - count, count);
    }

    /// <summary>Bytes that stay as they are until they are written.</summary>
    public void AddInPlace(ReadOnlyMemory<byte> bytes)
    {
        ListCopied();
        _parts.Add(MemoryMarshal.TryGetArray(bytes, out var array) ? array : bytes.ToArray());
        InPlace += bytes.Length;
    }

    /// <summary>Writes all that was added.</summary>
    /// <exception cref="IOException">The connection is gone.</exception>
    /// <exception cref="SocketException">The same.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public async ValueTask WriteAsync()
    {
        if (InPlace > 0 || (_isHolding && _filled > 0))
        {
            await WritePartsAsync().ConfigureAwait(false);
        }
        else if (_filled > 0)
        {
            await stream.WriteAsync(_copied.AsMemory(0, _filled)).ConfigureAwait(false);
        }

        _parts.Clear();
        _filled = 0;
        _listed = 0;
        InPlace = 0;
    }

    private async ValueTask WritePartsAsync()
    {
        ListCopied();
        _isHolding = InPlace > 0;
        var expected = _listed + InPlace;
        var sent = await stream.Socket.SendAsync(_parts).ConfigureAwait(false);
        if (sent != expected)
        {
            throw new IOException($"{sent} of {expected} bytes were sent");
        }
    }

    private void ListCopied()
    {
        if (_filled > _listed)
        {
            _parts.Add(new ArraySegment<byte>(_copied, _listed, _filled - _listed));
            _listed = _filled;
        }
    }
}
