using System.Runtime.InteropServices;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
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

        var received = Travel(new InferRequest { Message = message, Timeout = TimeSpan.FromSeconds(3) });

        Assert.NotSame(message, received.Message);
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

    private T Travel<T>(T value)
    {
        var serializer = _provider.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(value))!;
    }
}
