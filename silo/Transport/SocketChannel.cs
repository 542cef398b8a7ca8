using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>Frames over TCP as it is.</summary>
internal sealed class SocketChannelFactory : IFrameChannelFactory
{
    public IFrameChannel Open(Socket socket, bool isServer) => new SocketChannel(socket);
}

/// <summary>Frames over TCP.</summary>
internal sealed class SocketChannel(Socket socket) : IFrameChannel
{
    /// <summary>Segments of one system call; Linux takes 1,024.</summary>
    private const int MaxSegments = 512;

    public ValueTask SendAsync(List<ArraySegment<byte>> bytes) => bytes.Count switch
    {
        1 => SendOneAsync(bytes[0]),
        <= MaxSegments => SendManyAsync(bytes),
        _ => SendInPartsAsync(bytes),
    };

    public ValueTask<int> ReceiveAsync(Memory<byte> target) => socket.ReceiveAsync(target, SocketFlags.None);

    public void EndReceive() => Shutdown(SocketShutdown.Receive);

    public void Close()
    {
        Shutdown(SocketShutdown.Both);
        socket.Dispose();
    }

    private async ValueTask SendOneAsync(ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
        }
    }

    private async ValueTask SendManyAsync(IList<ArraySegment<byte>> bytes)
    {
        var expected = 0L;
        foreach (var segment in bytes)
        {
            expected += segment.Count;
        }

        var sent = await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false);
        if (sent != expected)
        {
            throw new IOException($"{sent} of {expected} bytes were sent");
        }
    }

    private async ValueTask SendInPartsAsync(List<ArraySegment<byte>> bytes)
    {
        foreach (var part in bytes.Chunk(MaxSegments))
        {
            await SendManyAsync(part).ConfigureAwait(false);
        }
    }

    private void Shutdown(SocketShutdown how)
    {
        try
        {
            socket.Shutdown(how);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The other side was first.
        }
    }
}
