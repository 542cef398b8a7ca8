using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Cluster.Contracts.Wire;

namespace Cluster.Grains.Tensors;

/// <summary>
/// The classification extension: instead of a tensor of scores, the best classes of each row as BYTES elements
/// <c>value:index[:label]</c>, best first. Values of floating-point tensors with six decimals.
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
    public static byte[] Encode(ReadOnlySpan<byte> raw, Datatype datatype, ReadOnlySpan<long> shape, int classes, string[] labels) => datatype switch
    {
        Datatype.Fp32 => Encode<float>(raw, shape, classes, labels),
        Datatype.Fp64 => Encode<double>(raw, shape, classes, labels),
        Datatype.Fp16 => Encode<Half>(raw, shape, classes, labels),
        Datatype.Bf16 => Encode<float>(MemoryMarshal.AsBytes<float>(Widen(raw)), shape, classes, labels),
        Datatype.Int8 => Encode<sbyte>(raw, shape, classes, labels),
        Datatype.Int16 => Encode<short>(raw, shape, classes, labels),
        Datatype.Int32 => Encode<int>(raw, shape, classes, labels),
        Datatype.Int64 => Encode<long>(raw, shape, classes, labels),
        Datatype.UInt16 => Encode<ushort>(raw, shape, classes, labels),
        Datatype.UInt32 => Encode<uint>(raw, shape, classes, labels),
        Datatype.UInt64 => Encode<ulong>(raw, shape, classes, labels),
        Datatype.UInt8 or Datatype.Bool => Encode<byte>(raw, shape, classes, labels),
        Datatype.Bytes or Datatype.Unknown => throw new ArgumentOutOfRangeException(nameof(datatype), datatype, "texts have no order of scores"),
    };

    private static byte[] Encode<T>(ReadOnlySpan<byte> raw, ReadOnlySpan<long> shape, int classes, string[] labels)
        where T : unmanaged, INumber<T>
    {
        var (rows, columns) = Split(shape);
        var scores = MemoryMarshal.Cast<byte, T>(raw);
        using var elements = new MemoryStream();
        var best = new PriorityQueue<int, (T Score, int Index)>(Comparer<(T Score, int Index)>.Create(WorstFirst));
        var order = new int[Math.Min(classes, columns)];
        Span<byte> length = stackalloc byte[sizeof(int)];

        // Rows without a column are as many as the client says: there is nothing in them, and counting them could take for ever.
        rows = columns == 0 ? 0 : rows;
        for (long row = 0; row < rows; row++)
        {
            var rowScores = scores.Slice((int)(row * columns), (int)columns);
            Choose(rowScores, best, order);
            foreach (var index in order)
            {
                var element = Encoding.UTF8.GetBytes(Element(rowScores[index], index, labels));
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

    /// <summary>The best classes of a row, best first; beside the row itself it needs room for those alone.</summary>
    private static void Choose<T>(ReadOnlySpan<T> scores, PriorityQueue<int, (T Score, int Index)> best, int[] order)
        where T : INumber<T>
    {
        for (var index = 0; index < scores.Length; index++)
        {
            if (best.Count < order.Length)
            {
                best.Enqueue(index, (scores[index], index));
            }
            else
            {
                best.EnqueueDequeue(index, (scores[index], index));
            }
        }

        for (var place = order.Length - 1; place >= 0; place--)
        {
            order[place] = best.Dequeue();
        }
    }

    /// <summary>NaN is no score and the worst; of equal scores the later one is worse.</summary>
    private static int WorstFirst<T>((T Score, int Index) left, (T Score, int Index) right)
        where T : INumber<T>
    {
        var byScore = left.Score.CompareTo(right.Score);
        return byScore != 0 ? byScore : right.Index.CompareTo(left.Index);
    }

    private static string Element<T>(T score, int index, string[] labels)
        where T : INumber<T>
    {
        var value = score is float or double or Half
            ? double.CreateChecked(score).ToString("F6", CultureInfo.InvariantCulture)
            : score.ToString(null, CultureInfo.InvariantCulture);
        return index < labels.Length ? $"{value}:{index}:{labels[index]}" : $"{value}:{index}";
    }

    /// <summary>BF16 is the upper half of FP32.</summary>
    private static float[] Widen(ReadOnlySpan<byte> raw)
    {
        var bits = MemoryMarshal.Cast<byte, ushort>(raw);
        var values = new float[bits.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BitConverter.Int32BitsToSingle(bits[i] << 16);
        }

        return values;
    }
}
