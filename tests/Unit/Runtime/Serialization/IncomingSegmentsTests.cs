using Cluster.Runtime.CodeGeneration;
using Cluster.Unit.Runtime.Grains;
using Xunit;

namespace Cluster.Unit.Runtime.Serialization;

public sealed class IncomingSegmentsTests
{
    private static IncomingSegments Parse(int length, bool isChunked, int bodyLength, long max = 1000)
    {
        var body = new byte[bodyLength];
        IncomingSegments.WriteEntry(body.AsSpan()[^IncomingSegments.EntryLength..], new WireSegment(new byte[length], 0, new CountedPayload(1)), isChunked);
        return IncomingSegments.Parse(body, 1, max);
    }

    [Fact]
    public void Memory_OfPayloadThatIsGivenBack_IsNoLongerWrittenTo()
    {
        const int Length = 77;
        var segments = Parse(Length, isChunked: true, IncomingSegments.EntryLength);
        segments.Take(0, new CountedPayloadCodec(), default);
        Assert.Equal(Length, segments.Memory(0).Length);

        segments.DisposePayloads();

        Assert.True(segments.Memory(0).IsEmpty);
        Assert.Equal(0, CountedPayload.AliveOf(Length));
        segments.DisposePayloads();
        Assert.Equal(0, CountedPayload.DisposedTwice(Length));
    }

    [Fact]
    public void Take_OfWhatIsNotThereOrTaken_IsRefused()
    {
        var segments = Parse(78, isChunked: true, IncomingSegments.EntryLength);
        segments.Take(0, new CountedPayloadCodec(), default);

        Assert.Throws<WireFormatException>(() => segments.Take(0, new CountedPayloadCodec(), default));
        Assert.Throws<WireFormatException>(() => segments.Take(1, new CountedPayloadCodec(), default));
        segments.DisposePayloads();
    }

    [Fact]
    public void Parse_OfTableBeyondItsLimits_IsRefused()
    {
        Assert.Throws<WireFormatException>(() => Parse(1001, isChunked: true, IncomingSegments.EntryLength));
        Assert.Throws<WireFormatException>(() => Parse(10, isChunked: false, IncomingSegments.EntryLength + 9));
        Assert.Throws<WireFormatException>(() => IncomingSegments.Parse(new byte[IncomingSegments.EntryLength], 2, 1000));
    }
}
