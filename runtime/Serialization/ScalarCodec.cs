namespace Cluster.Runtime.CodeGeneration;

/// <summary>A codec out of two functions, for types that need no more.</summary>
internal sealed class ScalarCodec<T>(WireKind kind, Action<WireWriter, T> write, ScalarCodec<T>.Reader read, Func<T>? missing = null) : WireCodec<T>
{
    public delegate T Reader(ref WireReader reader);

    internal override WireKind Kind => kind;

    internal override void Write(WireWriter writer, T value) => write(writer, value);

    internal override T Read(ref WireReader reader) => read(ref reader);

    public override T Missing(string member) => missing is null ? default! : missing();
}
