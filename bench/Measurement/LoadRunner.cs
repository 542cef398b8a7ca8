using System.Diagnostics;
using System.Net.Sockets;
using Microsoft.ML.OnnxRuntime;

namespace Cluster.Bench.Measurement;

/// <summary>Runs the workers of one cell, each on its thread, and measures a window of it.</summary>
internal static class LoadRunner
{
    /// <summary>More than any blocking call of a worker may take.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    /// <param name="serverProcesses">Whose processor time to state beside ours; null for none.</param>
    public static async Task<LoadResult> RunAsync(
        IReadOnlyList<ILoadWorker> workers, LoadPlan plan, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        var window = new LoadWindow();
        var recorders = workers.Select(_ => new LoadRecorder(window)).ToArray();
        var threads = workers.Zip(recorders, Start).ToArray();
        TimeSpan elapsed;
        CpuTimes cpu;
        try
        {
            await Task.Delay(plan.WarmUp, cancellationToken);
            (elapsed, cpu) = await MeasureAsync(window, plan.Duration, serverProcesses, cancellationToken);
        }
        finally
        {
            window.Close();
            Join(threads, recorders);
        }

        return Sum(recorders, elapsed, cpu);
    }

    private static async Task<(TimeSpan Elapsed, CpuTimes Cpu)> MeasureAsync(
        LoadWindow window, TimeSpan duration, IReadOnlyCollection<int> serverProcesses, CancellationToken cancellationToken)
    {
        var cpu = CpuTimes.Read(serverProcesses);
        var start = Stopwatch.GetTimestamp();
        window.Open();
        await Task.Delay(duration, cancellationToken);
        window.Close();
        return (Stopwatch.GetElapsedTime(start), CpuTimes.Read(serverProcesses) - cpu);
    }

    private static Thread Start(ILoadWorker worker, LoadRecorder recorder)
    {
        var thread = new Thread(() => RunToEnd(worker, recorder)) { IsBackground = true, Name = worker.GetType().Name };
        thread.Start();
        return thread;
    }

    private static void RunToEnd(ILoadWorker worker, LoadRecorder recorder)
    {
        try
        {
            worker.Run(recorder);
        }
        catch (Exception error) when (error is IOException or SocketException or InvalidDataException or OnnxRuntimeException)
        {
            recorder.Fail(error.Message);
        }
    }

    private static void Join(Thread[] threads, LoadRecorder[] recorders)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < threads.Length; i++)
        {
            var left = StopTimeout - Stopwatch.GetElapsedTime(start);
            if (!threads[i].Join(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                recorders[i].Fail($"a worker did not stop within {StopTimeout.TotalSeconds} s");
            }
        }
    }

    private static LoadResult Sum(LoadRecorder[] recorders, TimeSpan elapsed, CpuTimes cpu)
    {
        var latencies = new LatencyHistogram();
        foreach (var recorder in recorders)
        {
            latencies.Add(recorder.Latencies);
        }

        return new LoadResult(
            latencies.Count,
            elapsed,
            latencies.Percentile(0.50) / 1000,
            latencies.Percentile(0.99) / 1000,
            cpu,
            recorders.Sum(recorder => recorder.Failures),
            recorders.FirstOrDefault(recorder => recorder.FirstFailure is not null)?.FirstFailure);
    }
}
