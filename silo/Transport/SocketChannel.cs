using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>Frames over TCP as it is.</summary>
internal sealed class SocketChannelFactory : IFrameChannelFactory
{
    public ValueTask<IFrameChannel> OpenAsync(Socket socket, bool isServer, CancellationToken cancellationToken) => ValueTask.FromResult<IFrameChannel>(new SocketChannel(socket));
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

    public void EndReceive() => socket.TryShutdown(SocketShutdown.Receive);

    public void Close()
    {
        socket.TryShutdown(SocketShutdown.Both);
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
}
