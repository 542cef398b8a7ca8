namespace Cluster.Runtime.CodeGeneration;

/// <summary>Writes and reads values of one type. Stateless; used concurrently.</summary>
public abstract class WireCodec<T>
{
    private protected WireCodec()
    {
    }

    internal abstract WireKind Kind { get; }

    /// <summary>True: null is a value like others.</summary>
    internal virtual bool AllowsNull => false;

    internal abstract void Write(WireWriter writer, T value);

    internal abstract T Read(ref WireReader reader);

    /// <summary>The value of a member that the sender did not know.</summary>
    /// <exception cref="WireFormatException">The type has no value that could stand for "none".</exception>
    public virtual T Missing(string member) => default!;

    /// <summary>Writes a value as a member of an object: key, then value.</summary>
    internal virtual void WriteMember(WireWriter writer, uint id, T value)
    {
        if (value is null)
        {
            throw new WireFormatException($"member {id} of type {typeof(T)} is null, which its declaration rules out");
        }

        writer.WriteKey(id, Kind);
        Write(writer, value);
    }

    /// <summary>Reads a value whose key was just read.</summary>
    /// <exception cref="WireFormatException">It is of another kind.</exception>
    public virtual T ReadMember(ref WireReader reader, WireKind kind) =>
        kind == Kind ? Read(ref reader) : throw new WireFormatException($"expected {Kind} for {typeof(T)}, found {kind}");
}
