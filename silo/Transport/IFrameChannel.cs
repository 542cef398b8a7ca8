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
