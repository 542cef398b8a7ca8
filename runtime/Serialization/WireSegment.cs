namespace Cluster.Runtime.CodeGeneration;

/// <summary>Bytes that travel beside a message's body.</summary>
/// <param name="Bytes">Where they are at the sender.</param>
/// <param name="Misalignment">How far the first lies behind a multiple of <see cref="Alignment"/>.</param>
/// <param name="Owner">Disposing it gives the bytes back.</param>
internal readonly record struct WireSegment(ReadOnlyMemory<byte> Bytes, int Misalignment, IDisposable Owner)
{
    /// <summary>The size of the widest element that anybody reads in place.</summary>
    public const int Alignment = 8;
}
