namespace Cluster.Unit.Runtime.Grains;

internal sealed class CountedPayloadCodec : PayloadCodec<CountedPayload>
{
    public override ReadOnlyMemory<byte> GetBytes(CountedPayload payload) => payload.Bytes;

    public override CountedPayload Rent(int length, int misalignment, out Memory<byte> bytes)
    {
        var payload = new CountedPayload(length);
        bytes = payload.Bytes;
        return payload;
    }
}
