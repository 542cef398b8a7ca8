namespace Cluster.Runtime.CodeGeneration;

/// <summary>The entries of dictionaries.</summary>
internal sealed class PairCodec<TKey, TValue>(WireCodec<TKey> keys, WireCodec<TValue> values) : WireCodec<KeyValuePair<TKey, TValue>>
{
    internal override WireKind Kind => WireKind.Object;

    internal override void Write(WireWriter writer, KeyValuePair<TKey, TValue> value)
    {
        writer.WriteMember(0, keys, value.Key);
        writer.WriteMember(1, values, value.Value);
        writer.WriteEnd();
    }

    internal override KeyValuePair<TKey, TValue> Read(ref WireReader reader)
    {
        var (key, value) = TupleCodec<TKey, TValue>.ReadTwo(ref reader, keys, values);
        return KeyValuePair.Create(key, value);
    }
}
