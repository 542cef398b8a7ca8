namespace Cluster.Contracts.Wire;

/// <summary>The element types of KServe v2.</summary>
public enum Datatype : byte
{
    /// <summary>Not a datatype: the name was not one of the protocol's.</summary>
    Unknown,
    Bool,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Int8,
    Int16,
    Int32,
    Int64,
    Fp16,
    Bf16,
    Fp32,
    Fp64,

    /// <summary>Strings of bytes, each of its own length.</summary>
    Bytes,
}
