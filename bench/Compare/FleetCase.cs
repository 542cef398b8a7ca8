using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>Three silos and a gateway: 1,000 models registered and loaded one after another, 1,000 more 16 at a time, and what all processes then use without a request.</summary>
internal sealed class FleetCase(string name) : CompareCase(name)
{
    private const int Silos = 3;
    private const int Models = 1_000;
    private const int AtATime = 16;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(10);

    public override int MostRounds => 3;

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var cluster = await build.StartClusterAsync(Silos, 1, cancellationToken);
        using var gateway = new GrpcClient(cluster.Target.Grpc);
        var meter = new CpuMeter(cluster.ProcessIds);
        var (oneSeconds, one) = await RegisterAsync(gateway, 0, 1, cancellationToken);
        var (manySeconds, many) = await RegisterAsync(gateway, Models, AtATime, cancellationToken);
        await Task.Delay(Settling, cancellationToken);
        var others = meter.Read().OthersPercent;
        var resting = new CpuMeter(cluster.ProcessIds);
        await Task.Delay(Idle, cancellationToken);
        var idle = resting.Read();
        return new Sample(
            Math.Max(others, idle.OthersPercent),
            new Figure("one by one s", oneSeconds),
            new Figure("slowest ms", one[^1]),
            new Figure("16 at a time s", manySeconds),
            new Figure("p99 ms", Percentiles.At(many, 0.99)),
            new Figure("idle CPU %", 100 * (idle.Server!.Value / idle.Elapsed)),
            new Figure("gateway MiB", ProcessMemory.NowMib(cluster.Gateways[0].Id)),
            new Figure("silo MiB", cluster.Silos.Average(static silo => ProcessMemory.NowMib(silo.Id))));
    }

    /// <summary>Registers models under new names, each loaded before its registration is answered.</summary>
    /// <returns>Seconds in all, and each registration's milliseconds, smallest first.</returns>
    private static async Task<(double Seconds, IReadOnlyList<double> Sorted)> RegisterAsync(
        GrpcClient gateway, int from, int atATime, CancellationToken cancellationToken)
    {
        var times = new double[Models];
        var options = new ParallelOptions { MaxDegreeOfParallelism = atATime, CancellationToken = cancellationToken };
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, Models, options, async (number, cancelled) =>
        {
            var sent = Stopwatch.GetTimestamp();
            var model = string.Create(CultureInfo.InvariantCulture, $"fleet-{from + number}");
            await gateway.RegisterAsync(model, ModelFolder.Identity, "", load: true, cancelled);
            times[number] = Stopwatch.GetElapsedTime(sent).TotalMilliseconds;
        });
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Array.Sort(times);
        return (seconds, times);
    }
}
