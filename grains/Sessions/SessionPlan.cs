using Cluster.Contracts.Models;
using Cluster.Grains.OpenVino;

namespace Cluster.Grains.Sessions;

/// <summary>How a session is opened.</summary>
/// <param name="Provider">Where its graph runs.</param>
/// <param name="Device">OpenVINO's device; empty on the CPU provider.</param>
/// <param name="Concurrency">Requests at once, at least 1.</param>
/// <param name="Threads">Threads of each, at least 1.</param>
/// <param name="SessionThreads">Threads of ONNX Runtime's own for each run, at least 1.</param>
internal sealed record SessionPlan(ExecutionProvider Provider, string Device, int Concurrency, int Threads, int SessionThreads)
{
    /// <summary>Threads of a request that is alone on the silo, in a session of its own; 0 for no such session.</summary>
    public int ThreadsAlone { get; init; }

    /// <summary>Why it is not OpenVINO that the graph runs on, where it might be; else empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>What OpenVINO's provider takes; null on the CPU provider.</summary>
    public Dictionary<string, string>? OpenVino { get; init; }

    /// <summary>Folder for the compiled graph; null for none.</summary>
    public string? Cache { get; init; }

    public static SessionPlan OnCpu(ModelSettings settings, string reason = "")
    {
        var (concurrency, threads) = Parallelism.Derive(settings, Environment.ProcessorCount);
        return new SessionPlan(ExecutionProvider.Cpu, "", concurrency, threads, threads)
        {
            ThreadsAlone = Parallelism.DeriveAlone(settings, Environment.ProcessorCount),
            Reason = reason,
        };
    }

    public static SessionPlan OnOpenVino(ModelSettings settings, string? cache)
    {
        var options = settings.ProviderOptions;

        // As many requests at once as streams, unless the model says otherwise.
        var wanted = settings.Concurrency == 0 && options.Streams > 0 ? settings with { Concurrency = options.Streams } : settings;
        var (concurrency, intraOp) = Parallelism.Derive(wanted, Environment.ProcessorCount);
        var (streams, threads) = OpenVinoSettings.Derive(options, concurrency, intraOp, Environment.ProcessorCount);

        // ONNX Runtime's own threads have work only where parts of the graph may be its own.
        return new SessionPlan(ExecutionProvider.OpenVino, options.Device, concurrency, Math.Max(1, threads / streams), options.AllowCpuNodes ? intraOp : 1)
        {
            OpenVino = OpenVinoSettings.Provider(options, streams, threads, cache),
            Cache = cache,
        };
    }
}

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
