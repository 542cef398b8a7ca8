using System.Collections.Concurrent;
using System.Net.Sockets;
using Cluster.Silo.Transport;

namespace Cluster.Unit.Transport;

/// <summary>Channels over sockets that say what left, and that a test can cut.</summary>
internal sealed class SpyChannels : IFrameChannelFactory
{
    private readonly ConcurrentBag<SpyChannel> _channels = [];

    /// <summary>Runs before bytes are sent; gets how many.</summary>
    public Func<long, Task>? Sending { get; set; }

    /// <summary>Segments of as many bytes that left by themselves, from the memory that held them.</summary>
    public int CountOf(int bytes) => _channels.Sum(channel => channel.Lengths.Count(length => length == bytes));

    public ValueTask<IFrameChannel> OpenAsync(Socket socket, bool isServer, CancellationToken cancellationToken)
    {
        var channel = new SpyChannel(this, new SocketChannel(socket));
        _channels.Add(channel);
        return ValueTask.FromResult<IFrameChannel>(channel);
    }

    /// <summary>Cuts all connections.</summary>
    public void Cut()
    {
        foreach (var channel in _channels)
        {
            channel.Close();
        }
    }

    private sealed class SpyChannel(SpyChannels spy, SocketChannel inner) : IFrameChannel
    {
        public ConcurrentQueue<int> Lengths { get; } = new();

        public async ValueTask SendAsync(List<ArraySegment<byte>> bytes)
        {
            if (spy.Sending is { } sending)
            {
                await sending(bytes.Sum(static segment => (long)segment.Count));
            }

            bytes.ForEach(segment => Lengths.Enqueue(segment.Count));
            await inner.SendAsync(bytes);
        }

        public ValueTask<int> ReceiveAsync(Memory<byte> target) => inner.ReceiveAsync(target);

        public void EndReceive() => inner.EndReceive();

        public void Close() => inner.Close();
    }
}
