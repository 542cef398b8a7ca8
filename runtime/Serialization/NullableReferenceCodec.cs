namespace Cluster.Runtime.CodeGeneration;

internal sealed class NullableReferenceCodec<T>(WireCodec<T> inner) : WireCodec<T?>
    where T : class
{
    internal override WireKind Kind => inner.Kind;

    internal override bool AllowsNull => true;

    internal override void Write(WireWriter writer, T? value) => inner.Write(writer, value!);

    internal override T Read(ref WireReader reader) => inner.Read(ref reader);

    internal override void WriteMember(WireWriter writer, uint id, T? value)
    {
        if (value is null)
        {
            writer.WriteKey(id, WireKind.Null);
        }
        else
        {
            inner.WriteMember(writer, id, value);
        }
    }

    public override T? ReadMember(ref WireReader reader, WireKind kind) =>
        kind == WireKind.Null ? null : inner.ReadMember(ref reader, kind);
}
