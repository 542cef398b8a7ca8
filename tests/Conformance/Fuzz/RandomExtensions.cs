namespace Cluster.Conformance.Fuzz;

/// <summary>Choices.</summary>
internal static class RandomExtensions
{
    /// <summary>Numbers at which code changes its mind.</summary>
    private static readonly long[] Extremes =
    [
        0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 32767, 65535, 65536, 1 << 24, 1 << 28, (1 << 28) + 1, int.MaxValue - 8, int.MaxValue, 1L << 31, uint.MaxValue,
        1L << 32, 1L << 40, 1L << 60, (1L << 60) + 2, (1L << 61) - 1, 1L << 61, 1L << 62, long.MaxValue - 1, long.MaxValue, long.MinValue, long.MinValue + 1,
        int.MinValue, -2, -128, -129,
    ];

    public static bool OneIn(this Random random, int count) => random.Next(count) == 0;

    public static T Pick<T>(this Random random, IReadOnlyList<T> items) => items[random.Next(items.Count)];

    public static byte[] Bytes(this Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    public static long Extreme(this Random random) => random.Pick(Extremes);

    /// <summary>Dimensions of which at least one is 0 and the others are anything a request may say.</summary>
    public static long[] EmptyShape(this Random random, int rank)
    {
        var shape = new long[rank];
        for (var i = 0; i < rank; i++)
        {
            shape[i] = random.OneIn(3) ? 0 : random.OneIn(2) ? random.Next(4) : random.Extreme() & long.MaxValue;
        }

        if (rank > 0)
        {
            shape[random.Next(rank)] = 0;
        }

        return shape;
    }

    /// <summary>A length that is mostly small and sometimes larger than any buffer that is taken on trust.</summary>
    public static int Length(this Random random) => random.Next(20) switch
    {
        0 => random.Next(1 << 16),
        < 4 => random.Next(1024),
        _ => random.Next(16),
    };
}
