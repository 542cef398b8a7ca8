using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>What frames travel over: a connected socket, or one in TLS. One sends and one receives at a time.</summary>
internal interface IFrameChannel
{
    /// <summary>Sends all bytes; their memory is not used afterwards, also if it fails.</summary>
    ValueTask SendAsync(List<ArraySegment<byte>> bytes);

    /// <summary>Receives the bytes that are there, at least one.</summary>
    /// <returns>0 at the end.</returns>
    ValueTask<int> ReceiveAsync(Memory<byte> target);

    /// <summary>Has a pending receive and all later ones end.</summary>
    void EndReceive();

    /// <summary>Closes the connection. Pending operations fail.</summary>
    void Close();
}

/// <summary>Makes a channel of a connected socket.</summary>
internal interface IFrameChannelFactory
{
    /// <summary>Completes at once, or when both ends have shaken hands. Where it fails, the caller closes the socket; why has been logged.</summary>
    /// <param name="isServer">Whether the peer connected to this process.</param>
    /// <exception cref="IOException">The peer is not one of this cluster, or went away.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up.</exception>
    ValueTask<IFrameChannel> OpenAsync(Socket socket, bool isServer, CancellationToken cancellationToken);
}

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
