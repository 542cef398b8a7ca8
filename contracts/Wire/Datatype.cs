using System.Text;

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

/// <summary>Names and sizes of the datatypes.</summary>
public static class Datatypes
{
    private static readonly string[] NamesByValue =
        ["UNKNOWN", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES"];

    private static readonly byte[][] Utf8ByValue = [.. NamesByValue.Select(Encoding.ASCII.GetBytes)];

    private static readonly byte[] SizesByValue = [0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0];

    /// <summary>Every datatype's name, for messages that say what would be right.</summary>
    public static string AllNames { get; } = string.Join(", ", NamesByValue.Skip(1));

    /// <summary>The protocol's name, such as <c>FP32</c>.</summary>
    public static string Name(this Datatype datatype) => NamesByValue[(int)datatype];

    /// <summary>The protocol's name in UTF-8.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this Datatype datatype) => Utf8ByValue[(int)datatype];

    /// <summary>Bytes of one element; 0 for <see cref="Datatype.Bytes"/>, whose elements have no fixed size.</summary>
    public static int ElementSize(this Datatype datatype) => SizesByValue[(int)datatype];

    /// <summary>The datatype with this name; <see cref="Datatype.Unknown"/> if there is none. Case matters, as in the protocol.</summary>
    public static Datatype Parse(ReadOnlySpan<byte> utf8Name)
    {
        for (var i = 1; i < Utf8ByValue.Length; i++)
        {
            if (utf8Name.SequenceEqual(Utf8ByValue[i]))
            {
                return (Datatype)i;
            }
        }

        return Datatype.Unknown;
    }
}
