namespace Cluster.Metrics;

/// <summary>Adds to a double without a lock. Whole numbers stay exact up to 2^53.</summary>
internal static class AtomicDouble
{
    public static void Add(ref double location, double value)
    {
        var seen = Volatile.Read(ref location);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref location, seen + value, seen);

            // By bits: NaN equals nothing, so comparing values would never end.
            if (BitConverter.DoubleToInt64Bits(found) == BitConverter.DoubleToInt64Bits(seen))
            {
                return;
            }

            seen = found;
        }
    }
}
