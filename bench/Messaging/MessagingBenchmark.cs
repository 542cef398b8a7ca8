using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Server;
using Cluster.Contracts.Buffers;
using Cluster.Contracts.Inference;
using Cluster.Silo.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cluster.Bench.Messaging;

/// <summary>Grain calls from a client process to a silo process: what the runtime's network costs.</summary>
internal sealed class MessagingBenchmark : IBenchmark
{
    private static readonly (int Bytes, int InFlight)[] Cells =
    [
        (1 << 10, 1), (1 << 10, 32), (64 << 10, 1), (64 << 10, 32), (600 << 10, 1), (600 << 10, 32),
    ];

    private const byte Filler = 7;

    /// <summary>A tensor as large as a gateway takes by default, and how many calls with one are in flight beside the small ones.</summary>
    private const int LargeBytes = 256 << 20;

    private const int LargeCalls = 2;
    private const int SmallBytes = 1 << 10;
    private const int SmallCalls = 8;
    private const int PendingCalls = 32;

    public string Name => "messaging";

    public string Summary => "grain calls between two processes: 1 KiB, 64 KiB and 600 KiB, 1 and 32 in flight; and when the silo dies";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "S", "measured time of each of the 6 cells, 0.5 to 60; default 4"),
        new("warm-up", "S", "time before each, 0.5 to 60; default 2"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var duration = context.Arguments.Seconds("seconds", 4, 0.5, 60);
        var warmUp = context.Arguments.Seconds("warm-up", 2, 0.5, 60);
        var started = context.Time.GetUtcNow();
        await using var silo = await EchoSiloProcess.StartAsync(certificates: null, cancellationToken);
        using var client = CreateClient(silo.Address, tls: null);
        await client.StartAsync(cancellationToken);
        var grain = client.Services.GetRequiredService<IGrainFactory>().GetGrain<IEchoPayloadGrain>("echo");
        var cells = new List<MessagingCell>();
        foreach (var (bytes, inFlight) in Cells)
        {
            await context.Progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{bytes} B, {inFlight} in flight"));
            cells.Add(await MeasureAsync(grain, bytes, inFlight, new LoadPlan(warmUp, duration), silo.Id, cancellationToken));
        }

        await context.Progress.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{SmallBytes} B beside {LargeBytes} B"));
        var beside = await MeasureBesideAsync(grain, client, new LoadPlan(warmUp, duration), silo.Id, cancellationToken);
        var pending = await MeasurePendingAsync(grain, silo);
        await client.StopAsync(cancellationToken);
        var report = new MessagingReport(Name, started, Machine.Read(), duration.TotalSeconds, cells, beside, pending);
        return new BenchmarkReport(Format(report), report, 0);
    }

    internal static IHost CreateClient(SiloAddress silo, PeerTlsFiles? tls)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddEchoCaller(FreePorts.Take(1)[0], silo, tls);
        return builder.Build();
    }

    internal static async Task<MessagingCell> MeasureAsync(
        IEchoPayloadGrain grain, int bytes, int inFlight, LoadPlan plan, int siloProcess, CancellationToken cancellationToken)
    {
        using var payload = PayloadBuffer.Rent(bytes);
        payload.Span.Fill(Filler);
        var request = new InferRequest { Message = payload };
        try
        {
            await CheckAsync(grain, request);
            var load = await ClosedLoop.RunAsync(inFlight, _ => CallAsync(grain, request), plan, [siloProcess], cancellationToken);
            await CheckAsync(grain, request);
            return new MessagingCell(bytes, inFlight, load.RequestsPerSecond, load.P50Micros, load.P99Micros, load.Cpu.OthersPercent);
        }
        catch (Exception error) when (error is SiloUnavailableException or TimeoutException or InvalidDataException)
        {
            throw new BenchmarkException(string.Create(CultureInfo.InvariantCulture, $"a call with {bytes} B failed: {error.Message}"));
        }
    }

    /// <summary>Small calls while large tensors go both ways on the same connection.</summary>
    private static async Task<BesideLarge> MeasureBesideAsync(
        IEchoPayloadGrain grain, IHost client, LoadPlan plan, int siloProcess, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var payload = PayloadBuffer.Rent(LargeBytes);
        payload.Span.Fill(Filler);
        var request = new InferRequest { Message = payload };
        var start = Stopwatch.GetTimestamp();
        var large = Enumerable.Range(0, LargeCalls).Select(_ => RepeatAsync(grain, request, stop.Token)).ToList();
        var small = await MeasureAsync(grain, SmallBytes, SmallCalls, plan, siloProcess, cancellationToken);
        await stop.CancelAsync();
        var calls = (await Task.WhenAll(large)).Sum();
        var members = client.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot.Members;
        return new BesideLarge(
            small, calls / Stopwatch.GetElapsedTime(start).TotalSeconds, members.Values.Count(static member => member.Status != SiloStatus.Active));
    }

    private static async Task<int> RepeatAsync(IEchoPayloadGrain grain, InferRequest request, CancellationToken cancellationToken)
    {
        var calls = 0;
        for (; !cancellationToken.IsCancellationRequested; calls++)
        {
            await CallAsync(grain, request);
        }

        return calls;
    }

    /// <summary>Looks at the length and the last byte only: comparing all would be most of the client's work.</summary>
    private static async ValueTask CallAsync(IEchoPayloadGrain grain, InferRequest request)
    {
        var reply = await grain.Echo(request, default);
        using var message = reply.Message;
        if (message?.Length != request.Message.Length || message.Span[^1] != Filler)
        {
            throw new InvalidDataException("the answer is not what was sent");
        }
    }

    private static async Task CheckAsync(IEchoPayloadGrain grain, InferRequest request)
    {
        var reply = await grain.Echo(request, default);
        using var message = reply.Message;
        if (message?.Span.SequenceEqual(request.Message.Span) != true)
        {
            throw new InvalidDataException("the answer is not what was sent");
        }
    }

    /// <summary>From the silo's kill until all of some calls that wait for answers have failed, milliseconds.</summary>
    private static async Task<double> MeasurePendingAsync(IEchoPayloadGrain grain, EchoSiloProcess silo)
    {
        var calls = Enumerable.Range(0, PendingCalls).Select(_ => FailAsync(grain)).ToList();
        while (await grain.Held() < PendingCalls)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5));
        }

        var killed = Stopwatch.GetTimestamp();
        silo.Kill();
        await Task.WhenAll(calls);
        return Math.Round(Stopwatch.GetElapsedTime(killed).TotalMilliseconds, 1);
    }

    private static async Task FailAsync(IEchoPayloadGrain grain)
    {
        try
        {
            await grain.Hold();
        }
        catch (Exception error) when (error is SiloUnavailableException or TimeoutException)
        {
            // As it should.
        }
    }

    private static string Format(MessagingReport report)
    {
        var text = new StringBuilder();
        text.AppendLine("payload   in flight     calls/s    p50 µs    p99 µs   others");
        foreach (var cell in report.Cells)
        {
            text.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{cell.Bytes >> 10,4} KiB {cell.InFlight,11} {cell.CallsPerSecond,11:0} {cell.P50Microseconds,9:0} {cell.P99Microseconds,9:0} {cell.OthersPercent,7:0}%"));
        }

        text.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"beside {LargeCalls} calls of {LargeBytes >> 20} MiB, {report.Beside.LargeCallsPerSecond:0.0} a second: {SmallBytes >> 10} KiB x {SmallCalls} {report.Beside.Small.CallsPerSecond:0} calls/s, p50 {report.Beside.Small.P50Microseconds:0} µs, p99 {report.Beside.Small.P99Microseconds:0} µs; silos suspected: {report.Beside.Suspected}"));
        text.AppendLine(CultureInfo.InvariantCulture, $"{PendingCalls} calls on their way when the silo is killed have failed after {report.PendingFailedMilliseconds} ms");
        return text.ToString();
    }
}
