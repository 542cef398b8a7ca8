using Cluster.Contracts.Buffers;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Frames in TLS.</summary>
[Collection(nameof(TransportCollection))]
public sealed class TlsChannelTests : TlsTestBase
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    [Theory]
    [InlineData(8 * KiB, 0)]
    [InlineData((16 * KiB) - FrameHeader.Size, 0)]
    [InlineData(64 * KiB, 3)]
    [InlineData((600 * KiB) + 1, 7)]
    [InlineData(FrameSender.PieceBytes, 1)]
    [InlineData(FrameSender.PieceBytes + 1, 5)]
    [InlineData(64 * MiB, 2)]
    public async Task Message_WithAPayload_ArrivesWithItsBytesAndItsPadding(int length, int padding)
    {
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(Gateway, Silo))
        {
            using var payload = Payload(length, padding);
            foreach (var (from, to) in new[] { (ends.Left, ends.Right), (ends.Right, ends.Left) })
            {
                var received = FrameEnds.ReceiveAsync(to.Input, 1);
                await FrameEnds.SendAsync(from.Output, new TestMessage(7, 100, [payload]));

                var message = Assert.Single((await received.Soon())!);
                using var arrived = Assert.Single(message.Payloads);
                Assert.Equal(padding, arrived.Padding);
                Assert.True(arrived.Span.SequenceEqual(payload.Span));
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>Sizes on both sides of each border of a record: all come, in their order.</summary>
    [Fact]
    public async Task Messages_OfManySizes_AllArrive()
    {
        var random = new Random(7);
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(Silo, Silo))
        {
            for (var round = 0; round < 30; round++)
            {
                var payloads = Enumerable.Range(0, random.Next(4)).Select(_ => Payload(random.Next(8 * KiB, 40 * KiB), random.Next(8))).ToList();
                var received = FrameEnds.ReceiveAsync(ends.Right.Input, 2);
                await FrameEnds.SendAsync(ends.Left.Output, new TestMessage(round, random.Next(40 * KiB), payloads), new TestMessage(-round, 0, []));

                var messages = (await received.Soon())!;
                Assert.Equal([round, -round], messages.Select(static message => message.Mark));
                Assert.All(messages[0].Payloads.Zip(payloads), static pair => Assert.True(pair.First.Span.SequenceEqual(pair.Second.Span)));
                foreach (var payload in messages[0].Payloads.Concat(payloads))
                {
                    payload.Dispose();
                }
            }
        }

        await buffers.AllBackAsync();
    }

    [Theory]
    [InlineData(64 * KiB)]
    [InlineData(16 * MiB)]
    public async Task Connection_CutAmidAPayload_GivesAllMemoryBack(int length)
    {
        var buffers = new Buffers();
        await using (var ends = await OpenAsync(Gateway, Silo))
        {
            using var payload = Payload(length, 0);
            var received = FrameEnds.ReceiveAsync(ends.Right.Input, 1);
            for (var i = 0; i < 40; i++)
            {
                // Until the socket takes no more: the other end reads one.
                if (await Task.WhenAny(FrameEnds.SendAsync(ends.Left.Output, new TestMessage(i, 0, [payload])).AsTask(), Task.Delay(50, TestContext.Current.CancellationToken)) is not Task<System.IO.Pipelines.FlushResult>)
                {
                    break;
                }
            }

            (await received.Soon())![0].Payloads[0].Dispose();
            ends.Left.Abort();

            while (await FrameEnds.ReceiveAsync(ends.Right.Input, 1).Soon() is { } more)
            {
                more[0].Payloads[0].Dispose();
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>As Orleans closes a connection.</summary>
    [Fact]
    public async Task Cancel_OfAPendingRead_EndsIt()
    {
        await using var ends = await OpenAsync(Gateway, Silo);
        var read = ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask();

        ends.Right.Input.CancelPendingRead();

        Assert.True((await read.Soon()).IsCanceled);
    }

    [Fact]
    public async Task PeerThatEnds_IsTheEndOfReading()
    {
        await using var ends = await OpenAsync(Gateway, Silo);

        await ends.Left.DisposeAsync();

        Assert.True((await ends.Right.Input.ReadAsync(TestContext.Current.CancellationToken).AsTask().Soon()).IsCompleted);
        Assert.Empty(ends.Log.Problems);
    }

    private static PayloadBuffer Payload(int length, int padding)
    {
        var payload = PayloadBuffer.Rent(length, padding);
        new Random(length).NextBytes(payload.Span);
        return payload;
    }
}
