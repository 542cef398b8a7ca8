using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.RegularExpressions;

namespace Cluster.Cli.Tensors;

/// <summary>NumPy's file of one array, versions 1 to 3: a magic, a header that is a Python literal, and the elements.</summary>
internal static partial class NpyFile
{
    private const int LengthOffset = 8;

    private static readonly Dictionary<string, (string Datatype, int Size)> Types = new(StringComparer.Ordinal)
    {
        ["b1"] = ("BOOL", 1),
        ["i1"] = ("INT8", 1),
        ["i2"] = ("INT16", 2),
        ["i4"] = ("INT32", 4),
        ["i8"] = ("INT64", 8),
        ["u1"] = ("UINT8", 1),
        ["u2"] = ("UINT16", 2),
        ["u4"] = ("UINT32", 4),
        ["u8"] = ("UINT64", 8),
        ["f2"] = ("FP16", 2),
        ["f4"] = ("FP32", 4),
        ["f8"] = ("FP64", 8),
    };

    /// <param name="name">Of the input that it becomes.</param>
    /// <exception cref="CommandFailure">It is no such file, or holds what no tensor is.</exception>
    public static InputTensor Read(string name, byte[] content, string file)
    {
        if (content.Length < LengthOffset + sizeof(uint) || !IsMagic(content))
        {
            throw CommandFailure.Usage($"{file} is no .npy file, expected one that numpy.save wrote");
        }

        var isFirst = content[6] == 1;
        var start = LengthOffset + (isFirst ? sizeof(ushort) : sizeof(uint));
        long length = isFirst ? BinaryPrimitives.ReadUInt16LittleEndian(content.AsSpan(LengthOffset)) : BinaryPrimitives.ReadUInt32LittleEndian(content.AsSpan(LengthOffset));
        if (start + length > content.Length)
        {
            throw CommandFailure.Usage($"{file} ends within its header");
        }

        var header = Header().Match(Encoding.UTF8.GetString(content, start, (int)length));
        if (!header.Success)
        {
            throw CommandFailure.Usage($"{file} holds no plain array, expected numbers or booleans");
        }

        var (order, type) = (header.Groups["order"].Value, header.Groups["type"].Value);
        if (order == ">" || !Types.TryGetValue(type, out var known))
        {
            throw CommandFailure.Usage($"{file} has elements of '{order}{type}', expected little-endian {string.Join(", ", Types.Keys)}");
        }

        long[] shape = [.. header.Groups["size"].Captures.Select(static size => long.Parse(size.Value, CultureInfo.InvariantCulture))];
        if (header.Groups["fortran"].Value == "True" && shape.Length > 1)
        {
            throw CommandFailure.Usage($"{file} is in Fortran's order, expected C's: numpy.save(file, numpy.ascontiguousarray(array))");
        }

        var bytes = content.AsMemory(start + (int)length);
        var expected = shape.Aggregate((BigInteger)known.Size, static (product, size) => product * size);
        return bytes.Length == expected
            ? new InputTensor(name, known.Datatype, shape, Data: null, bytes)
            : throw CommandFailure.Usage($"{file} has {bytes.Length} bytes of elements, its shape [{string.Join(", ", shape)}] takes {expected}");
    }

    private static bool IsMagic(byte[] content) => content[0] == 0x93 && content.AsSpan(1).StartsWith("NUMPY"u8);

    [GeneratedRegex(@"^\{'descr': '(?<order>[<>|=])(?<type>[a-zA-Z]\d+)', 'fortran_order': (?<fortran>True|False), 'shape': \((?:(?<size>\d{1,18})(?:, ?|(?=\))))*\), \}\s*$")]
    private static partial Regex Header();
}
