using System.Globalization;
using Cluster.Bench.Clients;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;

namespace Cluster.Bench.Silos;

/// <summary>Silos are killed (SIGKILL) under an open loop through two gateways, and started again between.</summary>
/// <param name="after">How long is looked at what becomes of a kill.</param>
internal sealed class KillPart(ClusterSettings settings, BenchModels models, TextWriter progress, TimeSpan after)
{
    public const int Silos = 3;
    public const int Gateways = 2;
    public const int OneCopyModels = 6;
    public const int TwoCopyModels = 3;
    public const int Rate = 200;

    /// <summary>An answer of a service that is whole takes less, milliseconds.</summary>
    public const int Ordinary = 100;

    private static readonly TimeSpan Before = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan OnEnd = TimeSpan.FromSeconds(1);

    private readonly string[] _one = Names("one", OneCopyModels);
    private readonly string[] _two = Names("two", TwoCopyModels);

    public async Task<IReadOnlyList<KillReport>> RunAsync(CancellationToken cancellationToken)
    {
        await using var cluster = await BenchCluster.StartAsync(settings.SiloProgram, models.Folder, Silos, Gateways, cancellationToken);
        using (var gateway = new GrpcCaller(cluster.Gateways[0].Grpc))
        {
            await RegisterAsync(gateway, _one, """{"max_copies": 1}""", cancellationToken);
            await RegisterAsync(gateway, _two, """{"min_copies": 2, "max_copies": 2}""", cancellationToken);
        }

        var reports = new List<KillReport>();
        while (reports.Count < settings.Kills)
        {
            await WholeAsync(cluster, cancellationToken);
            await progress.WriteLineAsync($"kill {reports.Count + 1} of {settings.Kills}");
            reports.Add(await KillOneAsync(cluster, cancellationToken));
            if (reports.Count < settings.Kills)
            {
                await cluster.AddSiloAsync(cancellationToken);
            }
        }

        return reports;
    }

    private static string[] Names(string kind, int count) =>
        [.. Enumerable.Range(1, count).Select(number => string.Create(CultureInfo.InvariantCulture, $"{kind}-{number}"))];

    private async Task RegisterAsync(GrpcCaller gateway, string[] names, string modelSettings, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            await gateway.RegisterAsync(name, models.Small.Model, modelSettings, load: true, cancellationToken);
        }
    }

    private async Task WholeAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        await cluster.WholeAsync(cancellationToken);
        foreach (var gateway in cluster.Gateways)
        {
            await cluster.UntilAsync(
                gateway,
                view => _one.All(model => view.Of(model).Count == 1) && _two.All(model => view.Of(model).Distinct().Count() == 2),
                "every model has its copies",
                cancellationToken);
        }
    }

    private async Task<KillReport> KillOneAsync(BenchCluster cluster, CancellationToken cancellationToken)
    {
        await using var loop = await OpenLoop.StartAsync(
            cluster.Gateways.Select(static gateway => gateway.Grpc), [.. _one, .. _two], models.Small, Rate);
        await Task.Delay(Before, cancellationToken);
        var view = await cluster.CopiesAsync(cluster.Gateways[0], cancellationToken);
        var victim = cluster.Silos.Where(static silo => silo.IsRunning).MaxBy(silo => view.On(silo.Silo, [.. _one, .. _two]))!;
        var killed = loop.Elapsed;
        await victim.KillAsync();
        var others = new CpuMeter(cluster.ProcessIds);
        await Task.Delay(after, cancellationToken);
        var percent = others.Read().OthersPercent;
        var requests = await loop.StopAsync();
        var failed = requests.Where(static request => request.Failure is not null).ToList();
        var affected = requests.Where(request => request.Due + request.Wait > killed).ToList();
        return new KillReport(
            view.On(victim.Silo, _one),
            view.On(victim.Silo, _two),
            requests.Count,
            Longest(requests.Where(request => request.Due + request.Wait <= killed)),
            Longest(affected.Where(request => _one.Contains(request.Model))),
            Longest(affected.Where(request => _two.Contains(request.Model))),
            WholeAgain(affected, killed),
            percent,
            failed.Count,
            failed.FirstOrDefault()?.Failure);
    }

    private static double Longest(IEnumerable<OpenRequest> requests) =>
        Math.Round(requests.Select(static request => request.Wait.TotalMilliseconds).DefaultIfEmpty().Max(), 1);

    /// <summary>The due time, since the kill, of the first request from which on every one was answered in ordinary time for a second.</summary>
    private static double? WholeAgain(IReadOnlyList<OpenRequest> affected, TimeSpan killed)
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
                return Math.Round((from - killed).TotalMilliseconds, 1);
            }
        }

        return null;
    }
}
