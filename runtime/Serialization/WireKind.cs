namespace Cluster.Runtime.CodeGeneration;

/// <summary>How a value stands on the wire: enough to skip one that nobody here knows. The numbers are part of the format.</summary>
public enum WireKind
{
    /// <summary>Seven bits a byte, least significant first; signed numbers are folded (0, -1, 1, -2, …).</summary>
    Varint = 0,

    /// <summary>Four bytes, little endian.</summary>
    Fixed32 = 1,

    /// <summary>Eight bytes, little endian.</summary>
    Fixed64 = 2,

    /// <summary>A length and that many bytes.</summary>
    Bytes = 3,

    /// <summary>Members, each with its key, then a zero.</summary>
    Object = 4,

    /// <summary>A count, the kind of the items, and the items; where that kind is <see cref="Null"/>, each item begins with its own kind.</summary>
    List = 5,

    /// <summary>The index of a segment that travels beside the body.</summary>
    Segment = 6,

    /// <summary>Nothing: the value is null.</summary>
    Null = 7,
}
