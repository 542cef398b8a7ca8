using System.Globalization;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Ratios;
using Cluster.Bench.Server;

namespace Cluster.Bench.Compare;

/// <summary>
/// Tensors of 256 MiB each way, one after another for 30 s, through a gateway to a silo, beside a small request every 20 ms to the same silo; what the small
/// ones wait, whether a silo left, and what memory the processes keep.
/// </summary>
internal sealed class HugeCase(string name) : CompareCase(name)
{
    private const int Mebibytes = 256;
    private const int Rate = 50;
    private const string Small = "small";

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(3);

    /// <summary>How long the memory of what ended may take to go back.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(20);

    private static readonly Workload Asked = Workload.Identity(16) with { Model = Small };

    public override int MostRounds => 1;

    public override async Task<Sample> MeasureAsync(RunningBuild build, CancellationToken cancellationToken)
    {
        await using var cluster = await build.StartClusterAsync(2, 1, cancellationToken);
        using var gateway = new GrpcClient(cluster.Target.Grpc);
        await gateway.RegisterAsync(Small, ModelFolder.Identity, """{"min_copies": 2, "max_copies": 2}""", load: true, cancellationToken);
        await cluster.UntilAsync(cluster.Gateways[0], static view => view.Of(Small).Distinct().Count() == 2, "both silos hold the small model", cancellationToken);
        await using var loop = await OpenLoop.StartAsync([cluster.Target.Grpc], [Small], Asked, Rate);
        await Task.Delay(Quiet, cancellationToken);
        var begun = loop.Elapsed;
        var meter = new CpuMeter(cluster.ProcessIds);
        var exchanges = await ExchangeAsync(gateway, loop, cancellationToken);
        var ended = loop.Elapsed;
        var others = meter.Read().OthersPercent;
        var requests = await loop.StopAsync();
        await Task.Delay(Settling, cancellationToken);
        var view = await cluster.CopiesAsync(cluster.Gateways[0], cancellationToken);
        return new Sample(
            others,
            new Figure("exchanges/s", exchanges / (ended - begun).TotalSeconds),
            new Figure("small p99 before ms", At(requests.Where(request => request.Due < begun), 0.99)),
            new Figure("small p99 ms", At(requests.Where(request => request.Due >= begun), 0.99)),
            new Figure("small longest ms", At(requests.Where(request => request.Due >= begun), 1)),
            new Figure("small failed", requests.Count(static request => request.Failure is not null)),
            new Figure("silos left", cluster.Silos.Count - view.ActiveSilos.Count),
            new Figure("gateway peak MiB", ProcessMemory.PeakMib(cluster.Gateways[0].Id)),
            new Figure("gateway after MiB", ProcessMemory.NowMib(cluster.Gateways[0].Id)),
            new Figure("silos after MiB", cluster.Silos.Average(static silo => ProcessMemory.NowMib(silo.Id))));
    }

    private static async Task<int> ExchangeAsync(GrpcClient gateway, OpenLoop loop, CancellationToken cancellationToken)
    {
        var huge = Workload.Identity(Mebibytes * ((1 << 20) / sizeof(float)) - 1024);
        var message = huge.ToMessage();
        var until = loop.Elapsed + Duration;
        var exchanges = 0;
        for (; loop.Elapsed < until; exchanges++)
        {
            huge.CheckMessage(await gateway.InferAsync(message, cancellationToken));
        }

        return exchanges;
    }

    private static double At(IEnumerable<OpenRequest> requests, double part)
    {
        var waits = requests.Select(static request => request.Wait.TotalMilliseconds).Order().ToList();
        return waits.Count == 0
            ? throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"no small request was answered of {Rate} a second"))
            : Percentiles.At(waits, part);
    }
}
