using Cluster.Contracts.Models;

namespace Cluster.Grains.Sessions;

/// <summary>Turns a performance hint into numbers.</summary>
internal static class Parallelism
{
    /// <summary>Requests at once and threads of each, both at least 1, for a machine of <paramref name="cores"/> processors.</summary>
    public static (int Concurrency, int Threads) Derive(ModelSettings settings, int cores)
    {
        var threads = settings.IntraOpThreads;
        var concurrency = settings.Concurrency;
        if (settings.PerformanceHint == PerformanceHint.Latency)
        {
            threads = threads > 0 ? threads : cores;
            concurrency = concurrency > 0 ? concurrency : Math.Max(1, cores / threads);
        }
        else
        {
            concurrency = concurrency > 0 ? concurrency : Math.Max(1, cores / Math.Max(1, threads));
            threads = threads > 0 ? threads : 1;
        }

        return (concurrency, threads);
    }

    /// <summary>Threads of a request that is alone; 0 where it has no more than others.</summary>
    public static int DeriveAlone(ModelSettings settings, int cores) =>
        settings is { PerformanceHint: PerformanceHint.Auto, IntraOpThreads: 0 } && cores > 1 ? cores : 0;
}
