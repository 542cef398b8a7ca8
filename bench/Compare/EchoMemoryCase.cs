using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;

namespace Cluster.Bench.Compare;

/// <summary>The most memory that a new server ever held, after large echoes at once, each on a connection of its own.</summary>
internal sealed class EchoMemoryCase(string name, int calls, int mebibytes) : CompareCase(name)
{
    private const int FloatsPerMebibyte = (1 << 20) / sizeof(float);

    private readonly Workload _workload = Workload.Identity(mebibytes * FloatsPerMebibyte);

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var server = await build.StartAsync(cancellationToken);
        var id = server.Id;
        var meter = new CpuMeter([id]);
        var callers = Enumerable.Range(0, calls).Select(_ => new GrpcInferCall(server.Grpc, _workload)).ToList();
        try
        {
            await Task.WhenAll(callers.Select(call => call.CheckAsync(cancellationToken)));
        }
        finally
        {
            callers.ForEach(static call => call.Dispose());
        }

        var cpu = meter.Read();
        return new Sample(cpu.OthersPercent, new Figure("peak MiB", ProcessMemory.PeakMib(id)), new Figure("server CPU ms", cpu.Server!.Value.TotalMilliseconds));
    }
}
