namespace Cluster.Gateway.Traffic;

/// <summary>Where requests stand between 0 and 100: those below a candidate's percentage are its share. Safe from any thread.</summary>
/// <param name="random">Its alone.</param>
internal sealed class TrafficChance(Random random)
{
    private const double All = 100;

    private readonly Lock _lock = new();

    /// <summary>A random place, 0 to below 100.</summary>
    public double Next()
    {
        lock (_lock)
        {
            return random.NextDouble() * All;
        }
    }

    /// <summary>
    /// The place of a key, 0 to below 100: the same at every gateway and after every start. Each alias has its own, so that not the same users try out everything.
    /// </summary>
    public static double Of(string alias, string key)
    {
        // FNV-1a (Fowler, Noll and Vo), whose high bits differ too little for keys that differ at their ends. Hence the steps of Splitmix64 (Steele, Lea and Flood, 2014).
        var hash = 0xCBF29CE484222325UL;
        Add(ref hash, alias);
        Add(ref hash, "\n");
        Add(ref hash, key);
        hash = unchecked((hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9UL);
        hash = unchecked((hash ^ (hash >> 27)) * 0x94D049BB133111EBUL);
        return ((hash ^ (hash >> 31)) >> 11) * (All / (1UL << 53));
    }

    private static void Add(ref ulong hash, string text)
    {
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 0x100000001B3UL);
        }
    }
}
