using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Cluster.Bench.Clients;
using Cluster.Bench.Measurement;
using Cluster.Bench.Overhead;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>What a request waits for a model that is registered and in nobody's memory.</summary>
internal sealed class ColdPart(ClusterSettings settings, BenchModels models, string root, TextWriter progress)
{
    /// <summary>Loads before those that count: code is compiled, connections are made.</summary>
    private const int WarmUp = 5;

    private const int WarmRequests = 5;

    public async Task<IReadOnlyList<ColdReport>> RunAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        var reports = new List<ColdReport>();
        foreach (var (model, workload) in models.Served)
        {
            await progress.WriteLineAsync($"{model.Name}: {settings.ColdLoads} cold loads");
            reports.Add(await MeasureAsync(cluster, model, workload, cancellationToken));
        }

        return reports;
    }

    private async Task<ColdReport> MeasureAsync(BenchCluster cluster, OverheadModel model, InferWorkload workload, CancellationToken cancellationToken)
    {
        using var gateway = new GrpcCaller(cluster.Gateways[0].Grpc);
        var first = new List<double>();
        var warm = new List<double>();
        var failures = new List<string>();
        for (var i = 0; i < WarmUp; i++)
        {
            _ = await LoadOnceAsync(gateway, workload, i, cancellationToken);
        }

        var others = new CpuMeter(cluster.ProcessIds);
        for (var i = 0; i < settings.ColdLoads; i++)
        {
            try
            {
                var (cold, after) = await LoadOnceAsync(gateway, workload, WarmUp + i, cancellationToken);
                first.Add(cold);
                warm.Add(after);
            }
            catch (Exception error) when (error is InvalidDataException or HttpRequestException)
            {
                failures.Add(error.Message);
            }
        }

        var percent = others.Read().OthersPercent;
        var added = first.Zip(warm, static (cold, after) => cold - after).DefaultIfEmpty().ToList();
        return new ColdReport(
            model.Name,
            first.Count,
            Median(first),
            Median(warm),
            Median(added),
            Math.Round(added.Min(), 2),
            Math.Round(added.Max(), 2),
            Median([.. Enumerable.Range(0, settings.ColdLoads).Select(_ => InProcess(model))]),
            percent,
            failures.Count,
            failures.FirstOrDefault());
    }

    /// <summary>Registers a model under a new name and asks it: for the first time, and then warm (the median of some).</summary>
    private static async Task<(double First, double Warm)> LoadOnceAsync(
        GrpcCaller gateway, InferWorkload workload, int number, CancellationToken cancellationToken)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"cold-{workload.Model}-{number}");
        await gateway.RegisterAsync(name, workload.Model, "", load: false, cancellationToken);
        var request = GrpcRequest.Build(workload with { Model = name });
        var times = new List<double>();
        for (var i = 0; i <= WarmRequests; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await gateway.InferAsync(request, cancellationToken);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (answer.AsSpan().IndexOf(MemoryMarshal.AsBytes<float>(workload.Expected)) < 0)
            {
                throw new InvalidDataException($"model '{name}' gave a wrong answer");
            }
        }

        return (times[0], Median(times[1..]));
    }

    private double InProcess(OverheadModel model)
    {
        var start = Stopwatch.GetTimestamp();
        using var runtime = new InProcessRuntime(model, Path.GetFullPath(Path.Combine(root, model.File)));
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(List<double> values) => values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt(values.Count / 2), 2);
}
