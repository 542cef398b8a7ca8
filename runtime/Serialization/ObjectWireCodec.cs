using System.Reflection;

namespace Cluster.Runtime.CodeGeneration;

/// <summary>Values of a type with a generated codec, which is looked for when it is first needed: types may contain each other.</summary>
internal sealed class ObjectWireCodec<T> : WireCodec<T>
{
    public static readonly ObjectWireCodec<T> Instance = new();

    private ObjectCodec<T>? _members;

    internal override WireKind Kind => WireKind.Object;

    private ObjectCodec<T> Members => _members ??= Find();

    internal override void Write(WireWriter writer, T value)
    {
        Members.WriteMembers(writer, value);
        writer.WriteEnd();
    }

    internal override T Read(ref WireReader reader)
    {
        reader.Enter();
        var value = Members.ReadMembers(ref reader);
        reader.Leave();
        return value;
    }

    public override T Missing(string member) =>
        typeof(T).IsValueType ? default! : throw new WireFormatException($"{member} is missing, and {typeof(T)} has no default");

    private static ObjectCodec<T> Find()
    {
        var found = typeof(T).Assembly.GetCustomAttributes<WireCodecAttribute>().FirstOrDefault(static codec => codec.ValueType == typeof(T))
            ?? throw new WireFormatException($"{typeof(T)} has no generated serializer: does its project use the grain generator?");
        return (ObjectCodec<T>)Activator.CreateInstance(found.CodecType)!;
    }
}
