using System.Diagnostics;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>From the start of one process until it has answered a request, and the memory that it then holds.</summary>
/// <param name="models">The repository that is served.</param>
internal sealed class StartCase(string name, string models) : CompareCase(name)
{
    private const int Floats = 16;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var workload = Workload.Identity(Floats);
        var message = workload.ToMessage();
        var meter = new CpuMeter([]);
        var start = Stopwatch.GetTimestamp();
        await using var server = ServerProcess.Launch(build.Build.SiloProgram, models);
        using var client = new GrpcClient(server.Grpc);
        for (; ; await Task.Delay(Look, cancellationToken))
        {
            try
            {
                workload.CheckMessage(await client.InferAsync(message, cancellationToken));
                break;
            }
            catch (GrpcFailureException) when (server.IsRunning && Stopwatch.GetElapsedTime(start) < Patience)
            {
                // It does not serve yet.
            }
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        var memory = ProcessMemory.NowMib(server.Id);
        var others = meter.Read().Others - ProcessCpu.Read(server.Id);
        return new Sample(
            Math.Clamp(100 * others.TotalSeconds / seconds / Environment.ProcessorCount, 0, 100), new Figure("first answer s", seconds), new Figure("MiB then", memory));
    }
}
