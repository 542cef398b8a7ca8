using System.Net.Sockets;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Cluster.Unit.Transport;

[Collection(nameof(TransportCollection))]
public sealed class FrameConnectionTests
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData(8 * KiB, 0)]
    [InlineData(64 * KiB, 3)]
    [InlineData((600 * KiB) + 1, 7)]
    [InlineData(FrameSender.PieceBytes, 1)]
    [InlineData(FrameSender.PieceBytes + 1, 5)]
    [InlineData(64 * MiB, 2)]
    public async Task Message_WithAPayload_ArrivesWithItsBytesAndItsPadding(int length, int padding)
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            using var payload = Payload(length, padding);
            var received = FrameEnds.ReceiveAsync(ends.Right.Input, 1);
            await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(7, 100, [payload]));

            var message = Assert.Single((await received.Soon())!);
            using var arrived = Assert.Single(message.Payloads);
            Assert.NotSame(payload, arrived);
            Assert.Equal(padding, arrived.Padding);
            Assert.True(arrived.Span.SequenceEqual(payload.Span));
        }

        await buffers.AllBackAsync();
    }

    /// <summary>Many flushes of up to four messages, with payloads on both sides of each threshold: all come, each with its own payloads.</summary>
    [Fact]
    public void Messages_OfAnySizes_AllArriveWithTheirPayloads()
    {
        var size = Gen.OneOf(Gen.Choose(8 * KiB, 40 * KiB), Gen.Choose(300 * KiB, 700 * KiB), Gen.Choose(MiB - 2, 3 * MiB));
        var message = Gen.Zip(Gen.OneOf(Gen.Choose(0, 5000), Gen.Choose(0, 100_000)), size.ListOf().Select(static sizes => sizes.Take(3).ToList()));
        var flush = message.NonEmptyListOf().Select(static messages => messages.Take(4).ToList());
        Prop.ForAll(Arb.From(flush.NonEmptyListOf().Select(static flushes => flushes.Take(12).ToList())), static flushes => RoundTripAsync(flushes).Soon().GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(15));
    }

    /// <summary>What Orleans could not serialize is not sent, nor what went with it.</summary>
    [Fact]
    public async Task Message_ThatIsNotCompleted_LeavesNothingBehind()
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            using var payload = Payload(64 * KiB, 0);
            FrameEnds.Write(ends.Left.Output, new TestMessage(1, 0, [payload]));
            await ends.Left.Output.FlushAsync();
            FrameEnds.Write(ends.Left.Output, new TestMessage(2, 0, [payload]));
            await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, [payload]));

            var message = Assert.Single((await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon())!);
            Assert.Equal(3, message.Mark);
            message.Payloads[0].Dispose();
        }

        await buffers.AllBackAsync();
    }

    /// <summary>Orleans takes a message that it cannot read, and asks for more before it has seen the whole ones behind it.</summary>
    [Fact]
    public async Task Message_ThatCannotBeRead_LeavesThoseBehindItAndTheConnection()
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            using var payload = Payload(64 * KiB, 0);
            await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(1, 5, [payload]), new TestMessage(2, 0, [payload]), new TestMessage(3, 0, []));

            var unread = await ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask().Soon();
            ends.Right.Input.AdvanceTo(unread.Buffer.GetPosition(FrameEnds.Length(new TestMessage(1, 5, [payload]))), unread.Buffer.End);
            var messages = (await FrameEnds.ReceiveAsync(ends.Right.Input, 2).Soon())!;

            Assert.Equal([2, 3], messages.Select(static message => message.Mark));
            using var arrived = Assert.Single(messages[0].Payloads);
            Assert.True(arrived.Span.SequenceEqual(payload.Span));
        }

        await buffers.AllBackAsync();
    }

    [Fact]
    public async Task Message_ThatOrleansSeesNoEndOf_EndsTheConnection()
    {
        await using var ends = await FrameEnds.OpenAsync();
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(1, 0, []));

        var read = await ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask().Soon();
        ends.Right.Input.AdvanceTo(read.Buffer.Start, read.Buffer.End);

        await Assert.ThrowsAsync<InvalidDataException>(async () => await ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Message_OverTheLimit_IsRefusedWhereItIsWritten()
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync(new TransportOptions { MaxMessageMiB = 128 }))
        {
            using var payload = PayloadBuffer.Rent((128 * MiB) + 1);

            Assert.Throws<ServingException>(() => FrameEnds.Write(ends.Left.Output, new TestMessage(1, 0, [payload])));
            payload.Dispose();

            await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(2, 10, []));
            Assert.Equal(2, Assert.Single((await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon())!).Mark);
        }

        await buffers.AllBackAsync();
    }

    /// <summary>While a large message is on its way, small ones that were written after it overtake it.</summary>
    [Fact]
    public async Task SmallMessage_WrittenAfterALargeOne_ArrivesBeforeIt()
    {
        await using var ends = await FrameEnds.OpenAsync();
        using var payload = Payload(256 * MiB, 0);
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(1, 0, [payload]), new TestMessage(2, 0, []));
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, []));

        var messages = (await FrameEnds.ReceiveAsync(ends.Right.Input, 3).Soon())!;

        Assert.Equal([2, 3, 1], messages.Select(static message => message.Mark));
        messages[2].Payloads[0].Dispose();
    }

    [Theory]
    [InlineData(64 * KiB)]
    [InlineData(16 * MiB)]
    public async Task Connection_CutAmidAPayload_GivesAllMemoryBack(int length)
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            using var payload = Payload(length, 0);
            var output = ends.Left.Output;
            for (var i = 0; i < 40; i++)
            {
                // Until the socket takes no more: the other end does not read.
                if (await Task.WhenAny(FrameEnds.SendAsync(output, new TestMessage(i, 0, [payload])).AsTask(), Task.Delay(50, TestContext.Current.CancellationToken)) is not Task<System.IO.Pipelines.FlushResult>)
                {
                    break;
                }
            }

            var first = (await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon())!;
            first[0].Payloads[0].Dispose();
            ends.Left.Abort();

            while (await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon() is { } more)
            {
                more[0].Payloads[0].Dispose();
            }

            await Closed(ends.Right).Soon();
            await Closed(ends.Left).Soon();
            Assert.True((await FrameEnds.SendAsync(output, new TestMessage(0, 0, [payload])).AsTask().Soon()).IsCompleted);
        }

        await buffers.AllBackAsync();
    }

    [Fact]
    public async Task PeerThatEnds_IsTheEndOfReadingAndOfTheConnection()
    {
        await using var ends = await FrameEnds.OpenAsync();

        await ends.Left.DisposeAsync();

        Assert.True((await ends.Right.Input.ReadAsync().AsTask().Soon()).IsCompleted);
        await Closed(ends.Right).Soon();
        Assert.DoesNotContain(ends.Log.Entries, static entry => entry.Level >= LogLevel.Warning);
    }

    /// <summary>As Orleans closes a connection: both loops are told, and end; then it waits for the word that the connection is closed.</summary>
    [Fact]
    public async Task Cancel_OfAPendingRead_EndsIt()
    {
        await using var ends = await FrameEnds.OpenAsync();
        var read = ends.Right.Input.ReadAsync().AsTask();

        ends.Right.Input.CancelPendingRead();
        ends.Right.Output.CancelPendingFlush();

        Assert.True((await read.Soon()).IsCanceled);
        Assert.True((await ends.Right.Input.ReadAsync()).IsCanceled);
        Assert.True((await ends.Right.Output.FlushAsync()).IsCanceled);
        ends.Right.Abort();
        await Closed(ends.Right).Soon();
    }

    public static TheoryData<string, byte[]> BadBytes() => new()
    {
        { "HTTP", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray() },
        { "zeros", new byte[100] },
        { "an unknown kind", Header(9, 0, 10, 0) },
        { "another version", [0x43, 0x54, 0x46, 0x02, .. Header(1, 0, 10, 0)[4..]] },
        { "no message", Header(1, 0, 0, 0) },
        { "a negative length", Header(1, 0, -1, 0) },
        { "more payloads than there can be", Header(1, 65, 10, 1 << 20) },
        { "payloads of no bytes", Header(1, 1, 10, 0) },
        { "too many bytes", Header(1, 1, 10, 1L << 40) },
        { "a negative sum", Header(1, 1, 10, -1) },
        { "a message beyond the limit", Header(1, 0, int.MaxValue, 0) },
        { "a piece of nothing", Header(3, 0, 0, 10) },
        { "a sum that is not that of its payloads", [.. Header(1, 1, 1, 20), 1, .. Entry(10, 0, 0)] },
        { "payloads longer than their sum", [.. Header(1, 1, 1, 20), 1, .. Entry(30, 0, 0)] },
        { "a payload of negative length", [.. Header(1, 1, 1, 20), 1, .. Entry(-20, 0, 0)] },
        { "a padding of 8", [.. Header(1, 1, 1, 20), 1, .. Entry(20, 0, 8)] },
        { "a piece of another message", [.. Header(2, 1, 1, 20), 1, .. Entry(20, 0, 0), .. Header(3, 0, 0, 10, flush: 9)] },
        { "a piece longer than what is missing", [.. Header(2, 1, 1, 20), 1, .. Entry(20, 0, 0), .. Header(3, 0, 0, 21)] },
        { "a large message within another", [.. Header(2, 1, 1, 20), 1, .. Entry(20, 0, 0), .. Header(2, 1, 1, 20), 1, .. Entry(20, 0, 0)] },
    };

    [Theory]
    [MemberData(nameof(BadBytes))]
    public async Task PeerThatSendsWhatCannotBe_IsClosedAndNamed(string what, byte[] bytes)
    {
        Assert.NotEmpty(what);
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            var (raw, other) = await FrameEnds.ConnectAsync();
            using (raw)
            {
                await using var connection = new FrameConnection(
                    new SocketChannel(other), null, other.RemoteEndPoint, new TransportOptions(), TimeProvider.System, ends.Log.CreateLogger("transport"));
                var read = FrameEnds.ReceiveAsync(connection.Input, 1);
                await raw.SendAsync(bytes, SocketFlags.None);

                Assert.Null(await read.Soon());
                await Closed(connection).Soon();
                Assert.Single(ends.Log.Entries, static entry => entry.Level == LogLevel.Warning);
            }

            // Nothing else happens: another connection goes on.
            await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(3, 0, []));
            Assert.NotNull(await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon());
        }

        await buffers.AllBackAsync();
    }

    [Theory]
    [InlineData(10)]
    [InlineData(FrameHeader.Size)]
    [InlineData(FrameHeader.Size + 1 + FrameHeader.EntrySize)]
    [InlineData(FrameHeader.Size + 1 + FrameHeader.EntrySize + 100)]
    public async Task PeerThatStopsAmidAFrame_IsClosedAfterTheTimeout(int sent)
    {
        var buffers = new Buffers();
        var time = new ManualTimeProvider();
        var options = new TransportOptions();
        await using (var ends = await FrameEnds.OpenAsync(options, time))
        {
            var (raw, other) = await FrameEnds.ConnectAsync();
            using (raw)
            {
                await using var connection = new FrameConnection(new SocketChannel(other), null, null, options, time, ends.Log.CreateLogger("transport"));
                var read = FrameEnds.ReceiveAsync(connection.Input, 1);
                byte[] frame = [.. Header(1, 1, 1, 5000), 1, .. Entry(5000, 0, 0), .. new byte[5000]];
                await raw.SendAsync(frame.AsMemory(0, sent), SocketFlags.None);

                // The clock stands until the test moves it; the wait begins at some moment after the bytes have come.
                var waited = TimeSpan.Zero;
                for (; !read.IsCompleted; waited += TimeSpan.FromSeconds(1))
                {
                    time.Advance(TimeSpan.FromSeconds(1));
                    await Task.WhenAny(read, Task.Delay(1, TestContext.Current.CancellationToken));
                }

                Assert.InRange(waited, options.StallTimeout, Wait.Limit * 60);
                Assert.Single(ends.Log.Entries, static entry => entry.Message.Contains("no further byte", StringComparison.Ordinal));
                Assert.Null(await read.Soon());
                await Closed(connection).Soon();
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>A connection that is only quiet stays.</summary>
    [Fact]
    public async Task PeerThatIsQuiet_IsNotClosed()
    {
        var time = new ManualTimeProvider();
        await using var ends = await FrameEnds.OpenAsync(time: time);
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(1, 0, []));
        await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon();
        var read = FrameEnds.ReceiveAsync(ends.Right.Input, 1);

        time.Advance(TimeSpan.FromHours(1));
        await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(2, 0, []));

        Assert.Equal(2, Assert.Single((await read.Soon())!).Mark);
    }

    private static byte[] Header(int kind, int payloads, int messageBytes, long payloadBytes, uint flush = 0)
    {
        var bytes = new byte[FrameHeader.Size];
        new FrameHeader((FrameKind)kind, payloads, messageBytes, flush, payloadBytes).Write(bytes);
        return bytes;
    }

    private static byte[] Entry(int length, int place, int padding)
    {
        var bytes = new byte[FrameHeader.EntrySize];
        BitConverter.TryWriteBytes(bytes, length);
        (bytes[4], bytes[6]) = ((byte)place, (byte)padding);
        return bytes;
    }

    private static Task Closed(FrameConnection connection)
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.ConnectionClosed.Register(closed.SetResult);
        return closed.Task;
    }

    private static PayloadBuffer Payload(int length, int padding)
    {
        var payload = PayloadBuffer.Rent(length, padding);
        new Random(length).NextBytes(payload.Span);
        return payload;
    }

    private static async Task RoundTripAsync(List<List<(int Filler, List<int> Sizes)>> flushes)
    {
        var buffers = new Buffers();
        await using (var ends = await FrameEnds.OpenAsync())
        {
            var mark = 0;
            var sent = new Dictionary<int, (int Filler, List<PayloadBuffer> Payloads)>();
            var received = FrameEnds.ReceiveAsync(ends.Right.Input, flushes.Sum(static messages => messages.Count));
            foreach (var messages in flushes)
            {
                var written = messages.ConvertAll(message =>
                {
                    var payloads = message.Sizes.ConvertAll(size => Payload(size, size % 8));
                    sent[++mark] = (message.Filler, payloads);
                    return new TestMessage(mark, message.Filler, payloads);
                });
                await FrameEnds.SendAsync(ends.Left.Output, written);
            }

            foreach (var message in (await received)!)
            {
                Assert.True(sent.Remove(message.Mark, out var expected));
                Assert.Equal(expected.Filler, message.Filler);
                Assert.Equal(expected.Payloads.Count, message.Payloads.Count);
                foreach (var (one, other) in expected.Payloads.Zip(message.Payloads))
                {
                    Assert.Equal(one.Padding, other.Padding);
                    Assert.True(one.Span.SequenceEqual(other.Span));
                    one.Dispose();
                    other.Dispose();
                }
            }

            Assert.Empty(sent);
        }

        await buffers.AllBackAsync();
    }
}
