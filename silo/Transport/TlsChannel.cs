using System.Net.Security;
using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>Frames in TLS, after the handshake. Short segments share a record; what belongs together leaves together.</summary>
internal sealed class TlsChannel(Socket socket, CipherStream cipher, SslStream tls) : IFrameChannel
{
    /// <summary>The most that a record of TLS holds.</summary>
    private const int RecordBytes = 16 << 10;

    private readonly byte[] _record = GC.AllocateUninitializedArray<byte>(RecordBytes);

    public async ValueTask SendAsync(List<ArraySegment<byte>> bytes)
    {
        cipher.Hold();
        var filled = 0;
        foreach (var segment in bytes)
        {
            ReadOnlyMemory<byte> rest = segment;
            if (filled > 0)
            {
                // A record that was begun is filled first, so that none is short but the last.
                var part = Math.Min(rest.Length, RecordBytes - filled);
                rest[..part].CopyTo(_record.AsMemory(filled));
                (filled, rest) = (filled + part, rest[part..]);
                if (filled == RecordBytes)
                {
                    await tls.WriteAsync(_record).ConfigureAwait(false);
                    filled = 0;
                }
            }

            var whole = rest.Length / RecordBytes * RecordBytes;
            if (whole > 0)
            {
                await tls.WriteAsync(rest[..whole]).ConfigureAwait(false);
            }

            if (whole < rest.Length)
            {
                rest[whole..].CopyTo(_record.AsMemory(filled));
                filled += rest.Length - whole;
            }
        }

        if (filled > 0)
        {
            await tls.WriteAsync(_record.AsMemory(0, filled)).ConfigureAwait(false);
        }

        await cipher.FlushAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> target) => tls.ReadAsync(target);

    public void EndReceive() => socket.TryShutdown(SocketShutdown.Receive);

    public void Close()
    {
        // What is pending fails on the socket; then TLS can be released.
        socket.TryShutdown(SocketShutdown.Both);
        socket.Dispose();
        tls.Dispose();
    }
}
