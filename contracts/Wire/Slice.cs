namespace Cluster.Contracts.Wire;

/// <summary>A part of a message, as a position in its bytes.</summary>
/// <param name="Offset">First byte.</param>
/// <param name="Length">Bytes; 0 for an absent or empty field.</param>
public readonly record struct Slice(int Offset, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> message) => message.Slice(Offset, Length);

    public Span<byte> Of(Span<byte> message) => message.Slice(Offset, Length);
}
