namespace Cluster.Contracts.Wire;

/// <summary>One entry of a <c>parameters</c> map.</summary>
/// <param name="Key">The name, UTF-8.</param>
/// <param name="Kind">Which member of the oneof is set.</param>
/// <param name="Bits">The value of a bool (0 or 1), an integer, or a double's bits.</param>
/// <param name="Text">The value of a string, UTF-8.</param>
public readonly record struct InferParameterValue(Slice Key, InferParameterKind Kind, long Bits, Slice Text);

/// <summary>The members of <c>InferParameter</c>'s oneof, with their field numbers.</summary>
public enum InferParameterKind : byte
{
    None = 0,
    Bool = 1,
    Int64 = 2,
    Text = 3,
    Double = 4,
    UInt64 = 5,
}
