namespace Cluster.Contracts.Wire;

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
