using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Runtime.Messaging;

[SuppressMessage("Design", "CA1001", Justification = "xunit calls DisposeAsync.")]
public sealed class FrameWriterTests : IAsyncLifetime
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private NetworkStream _near = null!;
    private NetworkStream _far = null!;

    public async ValueTask InitializeAsync()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await near.ConnectAsync(_listener.LocalEndPoint!);
        _near = new NetworkStream(near, ownsSocket: true);
        _far = new NetworkStream(await _listener.AcceptAsync().Soon(), ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _near.DisposeAsync();
        await _far.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task WriteAsync_CopiedAndInPlace_ArriveInTheOrderInWhichTheyWereAdded()
    {
        var writer = new FrameWriter(_near);
        using var unmanaged = new ForeignMemory([5, 6]);

        writer.Reserve(1)[0] = 1;
        writer.AddInPlace(new byte[] { 0, 2, 3, 0 }.AsMemory(1, 2));
        writer.Reserve(1)[0] = 4;
        writer.AddInPlace(unmanaged.Memory);
        writer.Reserve(1)[0] = 7;
        Assert.Equal(4, writer.InPlace);
        await writer.WriteAsync().AsTask().Soon();
        writer.Reserve(1)[0] = 8;
        Assert.Equal(0, writer.InPlace);
        Assert.Equal(FrameWriter.MaxCopied - 1, writer.Room);
        await writer.WriteAsync().AsTask().Soon();
        writer.Reserve(1)[0] = 9;
        await writer.WriteAsync().AsTask().Soon();

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], await ReadAsync(9));
    }

    [Fact]
    public async Task WriteAsync_MoreThanTheSocketTakesAtOnce_ArrivesWhole()
    {
        var writer = new FrameWriter(_near);
        var payloads = Enumerable.Range(0, 64).Select(static i => Enumerable.Repeat((byte)i, 256 << 10).ToArray()).ToArray();
        foreach (var payload in payloads)
        {
            writer.Reserve(1)[0] = 255;
            writer.AddInPlace(payload);
        }

        var writing = writer.WriteAsync().AsTask();
        var read = await ReadAsync(payloads.Sum(static payload => payload.Length + 1));
        await writing.Soon();

        // By spans: compared as objects, 16 MiB take a minute.
        Assert.True(payloads.SelectMany(static payload => payload.Prepend((byte)255)).ToArray().AsSpan().SequenceEqual(read));
    }

    [Fact]
    public async Task WriteAsync_NextAfterAPayload_LetsGoOfIt()
    {
        var writer = new FrameWriter(_near);
        var payload = AddPayload(writer);
        await writer.WriteAsync().AsTask().Soon();
        await writer.WriteAsync().AsTask().Soon();

        writer.Reserve(1)[0] = 1;
        await writer.WriteAsync().AsTask().Soon();

        GC.Collect();
        Assert.False(payload.IsAlive);
        GC.KeepAlive(writer);
    }

    [Fact]
    public async Task WriteAsync_Closed_Throws()
    {
        var writer = new FrameWriter(_near);
        await _near.DisposeAsync();

        writer.AddInPlace(new byte[1]);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.WriteAsync().AsTask().Soon());
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference AddPayload(FrameWriter writer)
    {
        var payload = new byte[100_000];
        writer.AddInPlace(payload);
        return new WeakReference(payload);
    }

    private async Task<byte[]> ReadAsync(int count)
    {
        var bytes = new byte[count];
        await _far.ReadExactlyAsync(bytes).AsTask().Soon();
        return bytes;
    }

    /// <summary>Memory that is no array's.</summary>
    private sealed unsafe class ForeignMemory : MemoryManager<byte>
    {
        private readonly byte* _start;
        private readonly int _length;

        public ForeignMemory(byte[] bytes)
        {
            _length = bytes.Length;
            _start = (byte*)NativeMemory.Alloc((nuint)_length);
            bytes.CopyTo(GetSpan());
        }

        public override Span<byte> GetSpan() => new(_start, _length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing) => NativeMemory.Free(_start);
    }
}
