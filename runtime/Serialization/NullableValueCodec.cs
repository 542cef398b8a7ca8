namespace Cluster.Runtime.CodeGeneration;

internal sealed class NullableValueCodec<T>(WireCodec<T> inner) : WireCodec<T?>
    where T : struct
{
    internal override WireKind Kind => inner.Kind;

    internal override bool AllowsNull => true;

    internal override void Write(WireWriter writer, T? value) => inner.Write(writer, value!.Value);

    internal override T? Read(ref WireReader reader) => inner.Read(ref reader);

    internal override void WriteMember(WireWriter writer, uint id, T? value)
    {
        if (value is { } present)
        {
            inner.WriteMember(writer, id, present);
        }
        else
        {
            writer.WriteKey(id, WireKind.Null);
        }
    }

    public override T? ReadMember(ref WireReader reader, WireKind kind) =>
        kind == WireKind.Null ? null : inner.ReadMember(ref reader, kind);
}
