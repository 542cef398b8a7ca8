namespace Cluster.Runtime.CodeGeneration;

/// <summary>A codec that the generator writes: members with numbers, of which a reader skips those that it does not know.</summary>
public abstract class ObjectCodec<T>
{
    /// <summary>Writes every member, without the end.</summary>
    public abstract void WriteMembers(WireWriter writer, T value);

    /// <summary>Reads members up to and including the end.</summary>
    public abstract T ReadMembers(ref WireReader reader);
}
