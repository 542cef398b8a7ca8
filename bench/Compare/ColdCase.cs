using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;

namespace Cluster.Bench.Compare;

/// <summary>What a request waits for a model that is registered and in no silo's memory; medians of a round.</summary>
internal sealed class ColdCase(string name) : CompareCase(name)
{
    private const int Loads = 20;
    private const int WarmRequests = 5;

    private static readonly Workload Small = Workload.Identity(16);

    private int _registered;

    /// <summary>Loads that do not count: code is compiled, connections are made.</summary>
    public override Task PrepareAsync(RunningBuild build, CancellationToken cancellationToken) => MeasureAsync(build, cancellationToken);

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        var cluster = await build.ClusterAsync(cancellationToken);
        using var gateway = new GrpcClient(cluster.Grpc);
        var (first, warm) = (new List<double>(), new List<double>());
        var meter = new CpuMeter(cluster.Processes);
        for (var i = 0; i < Loads; i++)
        {
            var times = await LoadOnceAsync(gateway, cancellationToken);
            first.Add(times[0]);
            warm.Add(Median(times[1..]));
        }

        return new Sample(meter.Read().OthersPercent, new Figure("first request ms", Median(first)), new Figure("warm request ms", Median(warm)));
    }

    /// <summary>Registers a model under a new name and asks it for the first time, and then warm.</summary>
    private async Task<List<double>> LoadOnceAsync(GrpcClient gateway, CancellationToken cancellationToken)
    {
        var workload = Small with { Model = string.Create(CultureInfo.InvariantCulture, $"cold-{_registered++}") };
        await gateway.RegisterAsync(workload.Model, Small.Model, "", load: false, cancellationToken);
        var message = workload.ToMessage();
        var times = new List<double>();
        while (times.Count <= WarmRequests)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await gateway.InferAsync(message, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            workload.CheckMessage(answer);
        }

        return times;
    }

    private static double Median(List<double> values) => Percentiles.At([.. values.Order()], 0.5);
}
