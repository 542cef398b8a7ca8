namespace Cluster.Unit.Metrics;

/// <summary>Counts bytes that the calling thread allocates.</summary>
internal static class Allocations
{
    private const int Repeats = 1000;

    /// <summary>Bytes that a thousand calls allocate, after some to warm up.</summary>
    public static long Of(Action action)
    {
        Repeat(action);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Repeat(action);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Repeat(Action action)
    {
        for (var i = 0; i < Repeats; i++)
        {
            action();
        }
    }
}
