namespace Cluster.Runtime.CodeGeneration;

internal sealed class TupleCodec<T1, T2>(WireCodec<T1> first, WireCodec<T2> second) : WireCodec<(T1, T2)>
{
    internal override WireKind Kind => WireKind.Object;

    public static (T1 First, T2 Second) ReadTwo(ref WireReader reader, WireCodec<T1> first, WireCodec<T2> second)
    {
        reader.Enter();
        (T1 First, T2 Second) result = default;
        var seen = 0;
        while (reader.TryReadKey(out var id, out var kind))
        {
            switch (id)
            {
                case 0:
                    result.First = first.ReadMember(ref reader, kind);
                    seen |= 1;
                    break;
                case 1:
                    result.Second = second.ReadMember(ref reader, kind);
                    seen |= 2;
                    break;
                default:
                    reader.Skip(kind);
                    break;
            }
        }

        reader.Leave();
        return ((seen & 1) == 0 ? first.Missing("first item") : result.First, (seen & 2) == 0 ? second.Missing("second item") : result.Second);
    }

    internal override void Write(WireWriter writer, (T1, T2) value)
    {
        writer.WriteMember(0, first, value.Item1);
        writer.WriteMember(1, second, value.Item2);
        writer.WriteEnd();
    }

    internal override (T1, T2) Read(ref WireReader reader) => ReadTwo(ref reader, first, second);
}
