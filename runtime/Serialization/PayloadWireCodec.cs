using System.Reflection;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Values that travel beside the message.</summary>
internal sealed class PayloadWireCodec<T> : WireCodec<T>
    where T : class, IDisposable
{
    public static readonly PayloadWireCodec<T> Instance = new();

    private PayloadCodec<T>? _payloads;

    internal override WireKind Kind => WireKind.Segment;

    private PayloadCodec<T> Payloads => _payloads ??= Find();

    internal override void Write(WireWriter writer, T value) => writer.WriteSegment(Payloads.GetBytes(value), value);

    internal override T Read(ref WireReader reader) => reader.ReadSegment(Payloads);

    public override T Missing(string member) => throw new WireFormatException($"{member} is missing, and {typeof(T)} has no default");

    private static PayloadCodec<T> Find()
    {
        var found = typeof(T).Assembly.GetCustomAttributes<PayloadCodecAttribute>().FirstOrDefault(static codec => codec.PayloadType == typeof(T))
            ?? throw new WireFormatException($"{typeof(T).Assembly.GetName().Name} names no payload codec for {typeof(T)}");
        return (PayloadCodec<T>)Activator.CreateInstance(found.CodecType)!;
    }
}
