using System.Buffers.Binary;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Tensors;

/// <summary>
/// The classification extension: instead of a tensor of scores, the best classes of each row as BYTES elements
/// <c>value:index[:label]</c>, best first; values of floating-point tensors with six decimals.
/// </summary>
internal static class Classification
{
    /// <summary>The answer's shape: <c>[rows, k]</c> for tensors of two dimensions and more, else <c>[k]</c>.</summary>
    public static long[] Shape(ReadOnlySpan<long> scores, int classes)
    {
        var (rows, columns) = Split(scores);
        var k = Math.Min(classes, columns);
        return scores.Length < 2 ? [k] : [rows, k];
    }

    /// <summary>The answer's elements in their wire form.</summary>
    /// <param name="raw">The scores' bytes.</param>
    /// <param name="shape">The scores' shape.</param>
    /// <param name="labels">One a class; classes beyond them have none.</param>
    public static byte[] Encode(ReadOnlySpan<byte> raw, Datatype datatype, ReadOnlySpan<long> shape, int classes, string[] labels)
    {
        var (rows, columns) = Split(shape);
        var scores = ToDoubles(raw, datatype);
        using var elements = new MemoryStream();
        var order = new int[columns];
        Span<byte> length = stackalloc byte[sizeof(int)];

        // Rows without a column are as many as the client says: there is nothing in them, and counting them could take for ever.
        rows = columns == 0 ? 0 : rows;
        for (long row = 0; row < rows; row++)
        {
            var rowScores = scores.AsSpan((int)(row * columns), (int)columns).ToArray();
            for (var i = 0; i < order.Length; i++)
            {
                order[i] = i;
            }

            Array.Sort(order, (left, right) => Compare(rowScores, left, right));
            foreach (var index in order.AsSpan(0, (int)Math.Min(classes, columns)))
            {
                var element = Encoding.UTF8.GetBytes(Element(raw, datatype, (row * columns) + index, rowScores[index], index, labels));
                BinaryPrimitives.WriteInt32LittleEndian(length, element.Length);
                elements.Write(length);
                elements.Write(element);
            }
        }

        return elements.ToArray();
    }

    private static (long Rows, long Columns) Split(ReadOnlySpan<long> shape)
    {
        Shapes.TryCount(shape, out var count);
        var rows = shape.Length < 2 ? 1 : shape[0];
        return (rows, rows == 0 ? 0 : count / rows);
    }

    /// <summary>Best first; NaN is no score and comes last; equal scores keep their order.</summary>
    private static int Compare(double[] scores, int left, int right)
    {
        var byScore = scores[right].CompareTo(scores[left]);
        return byScore != 0 ? byScore : left.CompareTo(right);
    }

    private static string Element(ReadOnlySpan<byte> raw, Datatype datatype, long place, double score, int index, string[] labels)
    {
        var value = datatype switch
        {
            Datatype.UInt64 => MemoryMarshal.Cast<byte, ulong>(raw)[(int)place].ToString(CultureInfo.InvariantCulture),
            Datatype.Int64 => MemoryMarshal.Cast<byte, long>(raw)[(int)place].ToString(CultureInfo.InvariantCulture),
            Datatype.Fp16 or Datatype.Bf16 or Datatype.Fp32 or Datatype.Fp64 => score.ToString("F6", CultureInfo.InvariantCulture),
            _ => score.ToString(CultureInfo.InvariantCulture),
        };
        return index < labels.Length ? $"{value}:{index}:{labels[index]}" : $"{value}:{index}";
    }

    private static double[] ToDoubles(ReadOnlySpan<byte> raw, Datatype datatype)
    {
        switch (datatype)
        {
            case Datatype.Fp32:
                return Convert<float>(raw);
            case Datatype.Fp64:
                return MemoryMarshal.Cast<byte, double>(raw).ToArray();
            case Datatype.Fp16:
                return Convert<Half>(raw);
            case Datatype.Bf16:
                var bits = MemoryMarshal.Cast<byte, ushort>(raw);
                var values = new double[bits.Length];
                for (var i = 0; i < values.Length; i++)
                {
                    values[i] = BitConverter.Int32BitsToSingle(bits[i] << 16);
                }

                return values;
            case Datatype.Int8:
                return Convert<sbyte>(raw);
            case Datatype.Int16:
                return Convert<short>(raw);
            case Datatype.Int32:
                return Convert<int>(raw);
            case Datatype.Int64:
                return Convert<long>(raw);
            case Datatype.UInt16:
                return Convert<ushort>(raw);
            case Datatype.UInt32:
                return Convert<uint>(raw);
            case Datatype.UInt64:
                return Convert<ulong>(raw);
            default:
                return Convert<byte>(raw);
        }
    }

    private static double[] Convert<T>(ReadOnlySpan<byte> raw)
        where T : unmanaged, System.Numerics.INumberBase<T>
    {
        var source = MemoryMarshal.Cast<byte, T>(raw);
        var target = new double[source.Length];
        TensorPrimitives.ConvertTruncating<T, double>(source, target);
        return target;
    }
}
