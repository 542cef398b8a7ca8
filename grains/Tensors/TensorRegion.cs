namespace Cluster.Grains.Tensors;

/// <summary>Copies between dense tensors of one rank and different sizes.</summary>
internal static class TensorRegion
{
    /// <summary>Copies what both have, in each dimension from its start; the rest of <paramref name="target"/> stays as it is.</summary>
    /// <param name="size">Bytes of an element.</param>
    public static void Copy(ReadOnlySpan<byte> source, ReadOnlySpan<long> sourceShape, Span<byte> target, ReadOnlySpan<long> targetShape, int size)
    {
        // Trailing dimensions that are alike are one piece.
        var last = sourceShape.Length - 1;
        long inner = size;
        while (last > 0 && sourceShape[last] == targetShape[last])
        {
            inner *= sourceShape[last--];
        }

        Copy(source, sourceShape[..(last + 1)], target, targetShape[..(last + 1)], inner);
    }

    /// <summary>Fills <paramref name="target"/> with one element's bytes again and again.</summary>
    public static void Fill(Span<byte> target, ReadOnlySpan<byte> pattern)
    {
        if (!pattern.ContainsAnyExcept(pattern[0]))
        {
            target.Fill(pattern[0]);
            return;
        }

        for (var filled = 0; filled < target.Length; filled += pattern.Length)
        {
            pattern.CopyTo(target[filled..]);
        }
    }

    private static void Copy(ReadOnlySpan<byte> source, ReadOnlySpan<long> sourceShape, Span<byte> target, ReadOnlySpan<long> targetShape, long inner)
    {
        var count = Math.Min(sourceShape[0], targetShape[0]);
        if (sourceShape.Length == 1)
        {
            source[..(int)(count * inner)].CopyTo(target);
            return;
        }

        var (sourceStep, targetStep) = (Step(sourceShape, inner), Step(targetShape, inner));
        for (long i = 0; i < count; i++)
        {
            Copy(source.Slice((int)(i * sourceStep), (int)sourceStep), sourceShape[1..], target.Slice((int)(i * targetStep), (int)targetStep), targetShape[1..], inner);
        }
    }

    private static long Step(ReadOnlySpan<long> shape, long inner)
    {
        foreach (var dimension in shape[1..])
        {
            inner *= dimension;
        }

        return inner;
    }
}
