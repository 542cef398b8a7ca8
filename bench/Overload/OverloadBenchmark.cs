using Cluster.Bench.Framework;
using Cluster.Bench.Load;
using Cluster.Bench.Measurement;
using Cluster.Bench.Server;
using Cluster.Bench.Serving;

namespace Cluster.Bench.Overload;

/// <summary>More requests than a model can answer: what is answered of them, how soon the others are refused, and what stays when it is over.</summary>
internal sealed class OverloadBenchmark : IBenchmark
{
    /// <summary>The model that refuses what would wait for longer than <c>queue_delay_ms</c>.</summary>
    private const string Limited = "limited";

    /// <summary>The same without that.</summary>
    private const string Unlimited = "unlimited";

    private const int PeakCallers = 32;
    private const double PartOfPeak = 0.8;
    private static readonly double[] Factors = [2, 5];
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan PeakTime = TimeSpan.FromSeconds(10);

    /// <summary>After it a server that was overloaded is to be as before.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromSeconds(1);

    public string Name => "overload";

    public string Summary => "2 and 5 times what a model can answer: goodput, latencies of answers and of refusals, memory, and the time after it";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "S", "time of each overload; default 20"),
        new("iterations", "N", "multiplications of matrices in a run, some 0.2 ms each; default 25"),
        new("delay-ms", "N", "queue_delay_ms of the model; default 10"),
        new("silo", "FILE", "the server to start; default silo/bin/Release/net10.0/publish/cluster-silo"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var time = arguments.Seconds("seconds", 20, 1, 600);
        var (iterations, delay) = (arguments.Integer("iterations", 25, 1, 10_000), arguments.Integer("delay-ms", 10, 1, 60_000));
        var silo = Path.GetFullPath(arguments.Text("silo") ?? Path.Combine(context.Root, "silo/bin/Release/net10.0/publish/cluster-silo"));
        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        using var models = new ModelFolder();
        var file = await File.ReadAllBytesAsync(Path.Combine(context.Root, "tests/models/slow/1/model.onnx"), cancellationToken);
        models.Add(Unlimited, file, """{"performance_hint":"throughput"}""");
        models.Add(Limited, file, FormattableString.Invariant($$"""{"performance_hint":"throughput","queue_delay_ms":{{delay}}}"""));
        await using var server = await ServerProcess.StartAsync(silo, models.Path, cancellationToken);
        using var unlimited = new LoadClient(server.Grpc, null, Request(Unlimited, iterations));
        using var limited = new LoadClient(server.Grpc, null, Request(Limited, iterations));
        var before = await AnswerAsync(server, iterations, cancellationToken);
        var phases = new List<OverloadPhase>();

        await MeasureAsync("peak", unlimited, PeakTime, run => run.CloseAsync("grpc", PeakCallers, cancellationToken));
        var peak = phases[0].Load.Answered;
        await MeasureAsync("80 %", limited, PeakTime, run => run.OpenAsync("grpc", PartOfPeak * peak, cancellationToken));
        foreach (var factor in Factors)
        {
            await MeasureAsync(FormattableString.Invariant($"{factor} x"), limited, time, run => run.OpenAsync("grpc", factor * peak, cancellationToken));
            await MeasureAsync("after it", limited, Recovery, run => run.OpenAsync("grpc", PartOfPeak * peak, cancellationToken), Recovery);
            await MeasureAsync("peak again", unlimited, PeakTime, run => run.CloseAsync("grpc", PeakCallers, cancellationToken));
        }

        var after = await AnswerAsync(server, iterations, cancellationToken);
        var same = before.AsSpan().SequenceEqual(after);
        return new OverloadReport(started, machine, delay, phases).ToReport(same ? 0 : 1);

        async Task MeasureAsync(string name, LoadClient client, TimeSpan measured, Func<LoadRun, Task<LoadPoint>> send, TimeSpan? warmUp = null)
        {
            await context.Progress.WriteLineAsync(name);
            var meter = new CpuMeter([server.Id]);
            var point = await send(new LoadRun(client.SendAsync, warmUp ?? WarmUp, measured));
            var cpu = meter.Read();
            phases.Add(new OverloadPhase(name, point, cpu.Server!.Value / cpu.Elapsed, cpu.OthersPercent, ProcessMemory.NowMib(server.Id)));
        }
    }

    private static ServedModel Request(string model, long iterations) => new(model, [("iterations", "INT64", [1], BitConverter.GetBytes(iterations))]);

    private static async Task<byte[]> AnswerAsync(ServerProcess server, int iterations, CancellationToken cancellationToken)
    {
        using var client = new GrpcClient(server.Grpc);
        return await client.InferAsync(Request(Limited, iterations).ToMessage(), cancellationToken);
    }
}
