namespace Cluster.Runtime.CodeGeneration;

/// <summary>The members of an exception type that has <see cref="GenerateSerializerAttribute"/>.</summary>
internal abstract class ExceptionCodec(string alias)
{
    public string Alias { get; } = alias;

    public static ExceptionCodec Create(WireCodecAttribute codec) => (ExceptionCodec)Activator.CreateInstance(
        typeof(Typed<>).MakeGenericType(codec.ValueType), codec.Alias, Activator.CreateInstance(codec.CodecType))!;

    public abstract void Write(WireWriter writer, Exception exception);

    public abstract Exception Read(ref WireReader reader);

    private sealed class Typed<T>(string alias, ObjectCodec<T> members) : ExceptionCodec(alias)
        where T : Exception
    {
        public override void Write(WireWriter writer, Exception exception) => members.WriteMembers(writer, (T)exception);

        public override Exception Read(ref WireReader reader)
        {
            reader.Enter();
            var exception = members.ReadMembers(ref reader);
            reader.Leave();
            return exception;
        }
    }
}
