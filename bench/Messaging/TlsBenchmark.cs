using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Cluster.Bench.Messaging;

/// <summary>The same grain calls over plain connections and in mutual TLS, turn and turn about, so that both meet the same machine.</summary>
internal sealed class TlsBenchmark : IBenchmark
{
    private static readonly (int Bytes, int InFlight)[] Cells = [(64, 1), (64, 32), (64 << 10, 1), (64 << 10, 32), (600 << 10, 1), (600 << 10, 32)];

    public string Name => "tls";

    public string Summary => "grain calls between two processes, plain and in mutual TLS: 64 B, 64 KiB and 600 KiB, 1 and 32 in flight";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "S", "measured time of each turn of the 6 cells, 0.5 to 60; default 2"),
        new("warm-up", "S", "time before each, 0.5 to 60; default 0.5"),
        new("turns", "N", "turns of each, 1 to 100; default 3"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var plan = new LoadPlan(context.Arguments.Seconds("warm-up", 0.5, 0.5, 60), context.Arguments.Seconds("seconds", 2, 0.5, 60));
        var turns = context.Arguments.Integer("turns", 3, 1, 100);
        var started = context.Time.GetUtcNow();
        using var certificates = new EchoCertificates();
        await using var plainSilo = await EchoSiloProcess.StartAsync(certificates: null, cancellationToken);
        await using var tlsSilo = await EchoSiloProcess.StartAsync(certificates.Folder, cancellationToken);
        using var plainClient = MessagingBenchmark.CreateClient(plainSilo.Address, tls: null);
        using var tlsClient = MessagingBenchmark.CreateClient(tlsSilo.Address, EchoCertificates.Of(certificates.Folder));
        (IHost Client, EchoSiloProcess Silo)[] ways = [(plainClient, plainSilo), (tlsClient, tlsSilo)];
        foreach (var (client, _) in ways)
        {
            await client.StartAsync(cancellationToken);
        }

        var cells = new List<TlsCell>();
        foreach (var (bytes, inFlight) in Cells)
        {
            await context.Progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{bytes} B, {inFlight} in flight"));
            var measured = new List<MessagingCell>[] { [], [] };
            for (var turn = 0; turn < turns; turn++)
            {
                for (var way = 0; way < ways.Length; way++)
                {
                    var grain = ways[way].Client.Services.GetRequiredService<IGrainFactory>().GetGrain<IEchoPayloadGrain>("echo");
                    measured[way].Add(await MessagingBenchmark.MeasureAsync(grain, bytes, inFlight, plan, ways[way].Silo.Id, cancellationToken));
                }
            }

            cells.Add(new TlsCell(bytes, inFlight, Middle(measured[0]), Middle(measured[1])));
        }

        foreach (var (client, _) in ways)
        {
            await client.StopAsync(cancellationToken);
        }

        var report = new TlsReport(Name, started, Machine.Read(), plan.Duration.TotalSeconds, turns, cells);
        return new BenchmarkReport(Format(report), report, 0);
    }

    /// <summary>The turn whose rate is the median.</summary>
    private static MessagingCell Middle(List<MessagingCell> turns) => turns.OrderBy(static turn => turn.CallsPerSecond).ElementAt(turns.Count / 2);

    private static string Format(TlsReport report)
    {
        var text = new StringBuilder();
        text.AppendLine("payload   in flight   plain calls/s   TLS calls/s   ratio   plain p50 µs   TLS p50 µs");
        foreach (var cell in report.Cells)
        {
            var size = cell.Bytes < 1024 ? $"{cell.Bytes} B" : $"{cell.Bytes >> 10} KiB";
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{size,7} {cell.InFlight,11} {cell.Plain.CallsPerSecond,15:0} {cell.Tls.CallsPerSecond,13:0} {cell.Ratio,7:0.00} {cell.Plain.P50Microseconds,14:0} {cell.Tls.P50Microseconds,12:0}"));
        }

        return text.ToString();
    }
}

/// <summary>All cells of a run.</summary>
/// <param name="Seconds">Measured in each turn.</param>
internal sealed record TlsReport(string Benchmark, DateTimeOffset Started, Machine Machine, double Seconds, int Turns, IReadOnlyList<TlsCell> Cells);

/// <summary>The median turns of one cell.</summary>
internal sealed record TlsCell(int Bytes, int InFlight, MessagingCell Plain, MessagingCell Tls)
{
    /// <summary>Calls a second in TLS to those without.</summary>
    public double Ratio => Math.Round(Tls.CallsPerSecond / Plain.CallsPerSecond, 3);
}
