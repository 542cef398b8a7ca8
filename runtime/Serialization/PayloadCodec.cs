namespace Cluster.Runtime;

/// <summary>
/// Lets a type's bytes travel beside the message instead of in it: sent from where they are, received into memory that the type
/// rents. Named by a <see cref="PayloadCodecAttribute"/> in the type's assembly. Has a constructor without parameters; used
/// concurrently.
/// </summary>
public abstract class PayloadCodec<T>
    where T : class, IDisposable
{
    /// <summary>The bytes; they stay as they are until the payload is disposed.</summary>
    public abstract ReadOnlyMemory<byte> GetBytes(T payload);

    /// <summary>A payload with memory for bytes that will arrive.</summary>
    /// <param name="length">Bytes, at least 0; within the limit on messages.</param>
    /// <param name="misalignment">0 to 7: how far the first byte lies behind a multiple of 8, as it did at the sender.</param>
    /// <param name="bytes">Exactly <paramref name="length"/> bytes, to be filled.</param>
    public abstract T Rent(int length, int misalignment, out Memory<byte> bytes);
}
