using System.Globalization;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Cluster.Unit.Transport;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;

namespace Cluster.Unit.Formats;

/// <summary>What travels between processes of two versions, byte by byte: <c>docs/transport.md</c> has the meaning.</summary>
[Collection(nameof(TransportCollection))]
public sealed class FrameFormatTests
{
    [Theory]
    [InlineData(1, 1, 100, 7, 16, "43544601 01 00 0100 64000000 07000000 1000000000000000")]
    [InlineData(1, 0, 100, 0, 0, "43544601 01 00 0000 64000000 00000000 0000000000000000")]
    [InlineData(2, 64, 0x010203, 0x01020304, 0x0102030405, "43544601 02 00 4000 03020100 04030201 0504030201000000")]
    [InlineData(3, 0, 0, 9, 1 << 20, "43544601 03 00 0000 00000000 09000000 0000100000000000")]
    public void Header_OfEachKind_IsTheseBytes(byte kind, int payloads, int messageBytes, uint flush, long payloadBytes, string expected)
    {
        var header = new FrameHeader((FrameKind)kind, payloads, messageBytes, flush, payloadBytes);
        var written = new byte[FrameHeader.Size];

        header.Write(written);

        Assert.Equal(Bytes(expected), written);
        Assert.Equal(header, FrameHeader.Read(Bytes(expected), long.MaxValue));
    }

    [Fact]
    public void Entry_OfAPayload_IsTheseBytes()
    {
        using var payload = PayloadBuffer.Rent(0x0102, padding: 5);
        var written = new byte[FrameHeader.EntrySize];

        FrameHeader.WriteEntry(written, payload, place: 63);

        Assert.Equal(Bytes("02010000 3F00 05 00"), written);
        Assert.Equal((0x0102, 63, 5), FrameHeader.ReadEntry(Bytes("02010000 3F00 05 00")));
    }

    /// <summary>A message of Orleans' with a payload beside it: header, message, entry, payload.</summary>
    [Fact]
    public async Task Frame_OfAMessageWithAPayload_IsTheseBytes()
    {
        var channel = new RecordingChannel();
        await using var connection = new FrameConnection(channel, null, null, new TransportOptions(), TimeProvider.System, new LogSink().CreateLogger("transport"));
        using var payload = PayloadBuffer.Rent(8 << 10, padding: 0);
        payload.Span.Fill(0xA1);

        await FrameEnds.SendAsync(connection.Output, new TestMessage(Mark: 0x55, Filler: 2, [payload]));

        var sent = await channel.Sent.Task.Soon();
        Assert.Equal(
            Bytes("""
                43544601 01 00 0100 22000000 00000000 0020000000000000
                04000000 16000000 55000000 02000000 01000000 00000000 00000000 00200000 5555
                00200000 0000 00 00
                """),
            sent[..^payload.Length]);
        Assert.True(payload.Span.SequenceEqual(sent.AsSpan(sent.Length - payload.Length)));
    }

    /// <summary>Our messages as the bodies of Orleans' have them, of a payload that does not travel beside them.</summary>
    [Fact]
    public void Messages_OfInference_AreTheseBytes()
    {
        using var provider = new ServiceCollection().AddSerializer(static serializer => serializer.AddAssembly(typeof(InferRequest).Assembly)).BuildServiceProvider();
        var serializer = provider.GetRequiredService<Serializer>();
        using var message = PayloadBuffer.CopyOf([1, 2, 3]);

        string[] written =
        [
            Convert.ToHexString(serializer.SerializeToArray(new InferRequest { Message = message, Timeout = TimeSpan.FromSeconds(3) })),
            Convert.ToHexString(serializer.SerializeToArray(new InferRequest { Message = message, Share = new CallerShare(3, 300) })),
            Convert.ToHexString(serializer.SerializeToArray(InferReply.Success(PayloadBuffer.CopyOf([1, 2, 3])))),
            Convert.ToHexString(serializer.SerializeToArray(InferReply.Failed(Failure.Exhausted("full", TimeSpan.FromSeconds(2))))),
        ];

        string[] expected = ["204009000102038180C3C90100000000E0", "2040090001020322E8000D016209E0E0", "20400900010203C101E0", "20C00121E80021410966756C6C81002D3101000000000109E0E0"];
        Assert.True(expected.SequenceEqual(written), $"now it is {string.Join(", ", written)}");
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(string.Concat(hex.Where(char.IsAsciiHexDigit)).ToUpper(CultureInfo.InvariantCulture));

    /// <summary>Keeps what is sent first; nothing comes.</summary>
    private sealed class RecordingChannel : IFrameChannel
    {
        private readonly TaskCompletionSource<int> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<byte[]> Sent { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask SendAsync(List<ArraySegment<byte>> bytes)
        {
            Sent.TrySetResult([.. bytes.SelectMany(static segment => segment)]);
            return ValueTask.CompletedTask;
        }

        public ValueTask<int> ReceiveAsync(Memory<byte> target) => new(_end.Task);

        public void EndReceive() => _end.TrySetResult(0);

        public void Close() => _end.TrySetResult(0);
    }
}
