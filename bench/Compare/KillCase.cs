using System.Globalization;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>The silo with the most replicas killed (SIGKILL) under an open loop through two gateways, in a new cluster each round.</summary>
internal sealed class KillCase(string name) : CompareCase(name)
{
    private const int Silos = 3;
    private const int Gateways = 2;
    private const int Rate = 200;

    /// <summary>An answer of a service that is whole takes less, milliseconds.</summary>
    private const int Ordinary = 100;

    private static readonly Workload Small = Workload.Identity(16);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan After = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan OnEnd = TimeSpan.FromSeconds(1);

    private readonly string[] _one = Names("one", 6);
    private readonly string[] _two = Names("two", 3);

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var cluster = await build.StartClusterAsync(Silos, Gateways, cancellationToken);
        using (var gateway = new GrpcClient(cluster.Gateways[0].Grpc))
        {
            await RegisterAsync(gateway, _one, """{"max_copies": 1}""", cancellationToken);
            await RegisterAsync(gateway, _two, """{"min_copies": 2, "max_copies": 2}""", cancellationToken);
        }

        foreach (var gateway in cluster.Gateways)
        {
            await cluster.UntilAsync(
                gateway,
                view => _one.All(model => view.Of(model).Count == 1) && _two.All(model => view.Of(model).Distinct().Count() == 2),
                "every model has its replicas",
                cancellationToken);
        }

        return await KillAsync(cluster, cancellationToken);
    }

    private static string[] Names(string kind, int count) =>
        [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{kind}-{number}"))];

    private static async Task RegisterAsync(GrpcClient gateway, string[] names, string settings, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            await gateway.RegisterAsync(name, Small.Model, settings, load: true, cancellationToken);
        }
    }

    private async Task<Sample> KillAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        await using var loop = await OpenLoop.StartAsync(cluster.Gateways.Select(static gateway => gateway.Grpc), [.. _one, .. _two], Small, Rate);
        await Task.Delay(Before, cancellationToken);
        var view = await cluster.CopiesAsync(cluster.Gateways[0], cancellationToken);
        var killed = loop.Elapsed;
        await cluster.Silos.MaxBy(silo => view.On(silo.Grpc.ToString(), [.. _one, .. _two]))!.KillAsync();
        var meter = new CpuMeter(cluster.ProcessIds);
        await Task.Delay(After, cancellationToken);
        var others = meter.Read().OthersPercent;
        var requests = await loop.StopAsync();
        var affected = requests.Where(request => request.Due + request.Wait > killed).ToList();
        return new Sample(
            others,
            new Figure("whole again ms", WholeAgain(affected, killed)),
            new Figure("longest 1-replica ms", Longest(affected.Where(request => _one.Contains(request.Model)))),
            new Figure("longest 2-replica ms", Longest(affected.Where(request => _two.Contains(request.Model)))),
            new Figure("longest before ms", Longest(requests.Except(affected))),
            new Figure("failed", requests.Count(static request => request.Failure is not null)));
    }

    private static double Longest(IEnumerable<OpenRequest> requests) => requests.Select(static request => request.Wait.TotalMilliseconds).DefaultIfEmpty().Max();

    /// <summary>The due time, since the kill, of the first request from which on every one was answered in ordinary time for a second.</summary>
    private static double WholeAgain(IReadOnlyList<OpenRequest> affected, TimeSpan killed)
    {
        var from = killed;
        foreach (var request in affected.Where(request => request.Due >= killed))
        {
            if (request.Failure is not null || request.Wait.TotalMilliseconds > Ordinary)
            {
                from = request.Due + TimeSpan.FromSeconds(1.0 / Rate);
            }
            else if (request.Due - from >= OnEnd)
            {
                return (from - killed).TotalMilliseconds;
            }
        }

        throw new InvalidDataException($"the service was not whole again within {After.TotalSeconds} s of the kill");
    }
}
