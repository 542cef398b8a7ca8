using System.Runtime.InteropServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Contracts.Models;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Xunit;

namespace Cluster.Unit.Hosting;

/// <summary>How our messages travel in Orleans' form.</summary>
public sealed class PayloadCodecTests : IDisposable
{
    private readonly ServiceProvider _provider = new ServiceCollection().AddSerializer(serializer => serializer.AddAssembly(typeof(InferRequest).Assembly)).BuildServiceProvider();

    public void Dispose() => _provider.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(600 << 10, 5)]
    public void Request_AcrossProcesses_HasItsBytesAndItsAlignment(int length, int padding)
    {
        using var message = PayloadBuffer.Rent(length, padding);
        new Random(length).NextBytes(message.Span);

        var received = Travel(new InferRequest { Message = message, Timeout = TimeSpan.FromSeconds(3), Share = new CallerShare(-5, 300) });

        Assert.NotSame(message, received.Message);
        Assert.Equal(new CallerShare(-5, 300), received.Share);
        Assert.True(message.Span.SequenceEqual(received.Message.Span));
        Assert.Equal(TimeSpan.FromSeconds(3), received.Timeout);
        Assert.True(MemoryMarshal.TryGetArray<byte>(received.Message.Memory, out var segment));
        Assert.Equal(padding, segment.Offset);
    }

    [Fact]
    public void Reply_OfAFailure_HasItsCause()
    {
        var received = Travel(InferReply.Failed(Failure.Exhausted("full", TimeSpan.FromSeconds(2))));

        Assert.Null(received.Message);
        Assert.Equal(Failure.Exhausted("full", TimeSpan.FromSeconds(2)), received.Failure);
    }

    [Fact]
    public void Exception_OfOurs_ArrivesAsItself()
    {
        var received = (ServingException)Travel<Exception>(new ServingException(Failure.NotFound("who?"), new InvalidOperationException("why")));

        Assert.Equal((StatusCode.NotFound, "who?"), (received.Failure.Code, received.Message));
        Assert.Equal("why", received.InnerException!.Message);
    }

    /// <summary>Within a process nothing is copied: the memory has one owner at a time.</summary>
    [Fact]
    public void Request_WithinAProcess_IsPassedOn()
    {
        var request = new InferRequest { Message = PayloadBuffer.CopyOf([1, 2]) };

        Assert.Same(request, _provider.GetRequiredService<DeepCopier>().Copy(request));
    }

    [Fact]
    public void Bytes_CutShort_AreRefused()
    {
        var serializer = _provider.GetRequiredService<Serializer>();
        var bytes = serializer.SerializeToArray(new InferRequest { Message = PayloadBuffer.CopyOf(new byte[100]) });

        Assert.ThrowsAny<Exception>(() => serializer.Deserialize<InferRequest>(bytes.AsMemory(0, 60)));
    }

    /// <summary>Beside a message that the transport writes, and found again by the one that reads.</summary>
    [Fact]
    public void Request_WithinATransport_LeavesItsBytesBeside()
    {
        var (bytes, payload, flush) = Send(PayloadBuffer.Rent(OutgoingPayloads.MinBytes, 3));
        var incoming = new IncomingPayloads();
        incoming.Reset(flush);
        incoming.Add(0, payload!);
        incoming.Open();
        var received = _provider.GetRequiredService<Serializer>().Deserialize<InferRequest>(bytes)!;
        incoming.Close();

        Assert.True(bytes.Length < 100);
        Assert.Same(payload, received.Message);
        Assert.Equal(0, incoming.Count);
    }

    /// <summary>A reply's only count is the message's; it goes with the bytes.</summary>
    [Fact]
    public void Reply_WithinATransport_HandsItsCountOver()
    {
        var message = PayloadBuffer.Rent(OutgoingPayloads.MinBytes);
        var outgoing = new OutgoingPayloads(long.MaxValue);
        outgoing.Open(0);
        _provider.GetRequiredService<Serializer>().SerializeToArray(InferReply.Success(message));
        outgoing.Commit();

        Assert.Same(message, outgoing.Committed[0].Payload);
        message.Dispose();
        Assert.False(message.TryTake());
    }

    [Fact]
    public void Reply_TooShortToLeaveBeside_GivesItsMemoryBackOnceWritten()
    {
        var message = PayloadBuffer.Rent(100);
        var outgoing = new OutgoingPayloads(long.MaxValue);
        outgoing.Open(0);
        _provider.GetRequiredService<Serializer>().SerializeToArray(InferReply.Success(message));
        outgoing.Commit();

        Assert.Equal(0, outgoing.Committed.Length);
        Assert.False(message.TryTake());
    }

    [Fact]
    public void Request_GivenBackBeforeItIsSent_ArrivesWithoutMemory()
    {
        var message = PayloadBuffer.Rent(OutgoingPayloads.MinBytes);
        message.Dispose();

        var received = Travel(new InferRequest { Message = message });

        Assert.False(received.Message.TryTake());
    }

    /// <summary>Never the wrong bytes: an index that does not belong to what came is an error.</summary>
    [Theory]
    [InlineData(1, 0, OutgoingPayloads.MinBytes)]
    [InlineData(0, 1, OutgoingPayloads.MinBytes)]
    [InlineData(0, 0, OutgoingPayloads.MinBytes + 1)]
    public void Index_OfAPayloadThatDidNotCome_IsRefused(uint flush, int place, int length)
    {
        var (bytes, _, _) = Send(PayloadBuffer.Rent(OutgoingPayloads.MinBytes));
        var incoming = new IncomingPayloads();
        incoming.Reset(flush);
        incoming.Add(place, PayloadBuffer.Rent(length));
        incoming.Open();

        Assert.Throws<InvalidDataException>(() => _provider.GetRequiredService<Serializer>().Deserialize<InferRequest>(bytes));
        incoming.Close();
        incoming.Reset(0);
    }

    [Fact]
    public void Index_OutsideATransport_IsRefused()
    {
        var (bytes, _, _) = Send(PayloadBuffer.Rent(OutgoingPayloads.MinBytes));

        Assert.Throws<InvalidDataException>(() => _provider.GetRequiredService<Serializer>().Deserialize<InferRequest>(bytes));
    }

    /// <summary>Orleans moved its serialization to another thread than that which asked for memory: bytes are copied, as ever.</summary>
    [Fact]
    public void Request_OnAnotherThreadThanTheTransport_CarriesItsBytes()
    {
        using var message = PayloadBuffer.CopyOf(new byte[OutgoingPayloads.MinBytes]);
        var outgoing = new OutgoingPayloads(long.MaxValue);
        outgoing.Open(0);
        byte[] bytes = [];
        var thread = new Thread(() => bytes = _provider.GetRequiredService<Serializer>().SerializeToArray(new InferRequest { Message = message }));
        thread.Start();
        thread.Join();
        outgoing.Commit();

        Assert.Equal(0, outgoing.Committed.Length);
        Assert.True(bytes.Length > OutgoingPayloads.MinBytes);
    }

    private (byte[] Bytes, PayloadBuffer Payload, uint Flush) Send(PayloadBuffer message)
    {
        var outgoing = new OutgoingPayloads(long.MaxValue);
        outgoing.Open(0);
        var bytes = _provider.GetRequiredService<Serializer>().SerializeToArray(new InferRequest { Message = message });
        outgoing.Commit();
        var payload = outgoing.Committed[0].Payload;
        message.Dispose();
        return (bytes, payload, outgoing.Flush);
    }

    private T Travel<T>(T value)
    {
        var serializer = _provider.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(value))!;
    }
}
