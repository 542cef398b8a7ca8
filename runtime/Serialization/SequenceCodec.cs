namespace Cluster.Runtime.CodeGeneration;

/// <summary>Lists of any shape, by way of an array.</summary>
internal sealed class SequenceCodec<TList, TItem>(WireCodec<TItem> items, Func<TList, IReadOnlyList<TItem>> read, Func<TItem[], TList> create)
    : WireCodec<TList>
{
    internal override WireKind Kind => WireKind.List;

    internal override void Write(WireWriter writer, TList value)
    {
        var list = read(value);
        writer.WriteVarint((uint)list.Count);
        writer.WriteByte((byte)(items.AllowsNull ? WireKind.Null : items.Kind));
        for (var i = 0; i < list.Count; i++)
        {
            var item = list[i];
            if (items.AllowsNull)
            {
                writer.WriteByte((byte)(item is null ? WireKind.Null : items.Kind));
            }
            else if (item is null)
            {
                throw new WireFormatException($"item {i} of {typeof(TList)} is null, which its declaration rules out");
            }

            if (item is not null)
            {
                items.Write(writer, item);
            }
        }
    }

    internal override TList Read(ref WireReader reader)
    {
        reader.Enter();
        var count = reader.ReadCount();
        var kind = reader.ReadKind();
        var array = count == 0 ? [] : new TItem[count];
        for (var i = 0; i < count; i++)
        {
            array[i] = items.ReadMember(ref reader, kind == WireKind.Null ? reader.ReadKind() : kind);
        }

        reader.Leave();
        return create(array);
    }

    public override TList Missing(string member) => create([]);
}
