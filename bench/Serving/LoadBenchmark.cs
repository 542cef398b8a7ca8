using System.Globalization;
using System.Net;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Serving;

/// <summary>Loads any model of a running server: closed loops of so many callers, or open ones of a fixed rate.</summary>
internal sealed class LoadBenchmark : IBenchmark
{
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(5);

    public string Name => "load";

    public string Summary => "a model of your own, on a server that runs: rates and latencies by callers or by arrival rate, over gRPC and REST";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("model", "NAME", "the model; required"),
        new("concurrency", "N,N", "closed loops of so many callers, one after the other; default 1,4,16"),
        new("rate", "N,N", "open loops of so many requests a second, in place of closed ones"),
        new("seconds", "N", "measured time of a load; default 10"),
        new("warm-up", "N", "time before that; default 2"),
        new("protocol", "NAME", "grpc, rest or both; default grpc"),
        new("shapes", "LIST", "sizes of inputs that requests choose, such as ids:1x128,mask:1x128; default 1"),
        new("grpc", "IP:PORT", "the server; default 127.0.0.1:8001"),
        new("http", "IP:PORT", "the same server's REST; default 127.0.0.1:8000"),
        new("base", "FILE", "the .json of an earlier report, to compare with"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var arguments = context.Arguments;
        var name = arguments.Text("model") ?? throw new UsageException("name the model by '--model'");
        var (time, warmUp) = (arguments.Seconds("seconds", 10, 0.5, 3600), arguments.Seconds("warm-up", 2, 0, 600));
        var (grpc, http) = (EndPoint(arguments, "grpc", "127.0.0.1:8001"), EndPoint(arguments, "http", "127.0.0.1:8000"));
        IPEndPoint?[] protocols = (arguments.Text("protocol") ?? "grpc") switch
        {
            "grpc" => [null],
            "rest" => [http],
            "both" => [null, http],
            var other => throw new UsageException($"option '--protocol' takes grpc, rest or both, not '{other}'"),
        };
        var rates = Numbers(arguments, "rate", "");
        var callers = rates.Count > 0 ? [] : Numbers(arguments, "concurrency", "1,4,16");
        if (rates.Count > 0 && arguments.Text("concurrency") is not null)
        {
            throw new UsageException("options '--rate' and '--concurrency' exclude each other");
        }

        var earlier = arguments.Text("base") is { } file ? ReportFiles.Read<LoadReport>(file) : null;
        var model = await ServedModel.ReadAsync(grpc, name, arguments.Text("shapes"), cancellationToken);
        var machine = Machine.Read();
        var points = new List<LoadPoint>();
        foreach (var protocol in protocols)
        {
            using var client = new LoadClient(grpc, protocol, model);
            foreach (var number in callers.Concat(rates))
            {
                var run = new LoadRun(client.SendAsync, warmUp, time);
                var what = rates.Count > 0 ? FormattableString.Invariant($"{number}/s") : $"{number} callers";
                var load = rates.Count > 0
                    ? run.OpenAsync(client.Protocol, number, cancellationToken)
                    : run.CloseAsync(client.Protocol, (int)number, cancellationToken);
                while (await Task.WhenAny(load, Task.Delay(Tick, cancellationToken)) != load)
                {
                    await context.Progress.WriteLineAsync($"{client.Protocol}, {what}: {run.Answered} answered");
                }

                points.Add(await load);
            }
        }

        return new LoadReport(name, context.Time.GetUtcNow(), machine, points).ToReport(model, earlier);
    }

    private static List<double> Numbers(BenchArguments arguments, string option, string fallback)
    {
        var numbers = new List<double>();
        foreach (var text in (arguments.Text(option) ?? fallback).Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number is < 0.1 or > 100_000 || (option == "concurrency" && number != Math.Floor(number)))
            {
                throw new UsageException($"option '--{option}' takes numbers from {(option == "rate" ? "0.1" : "1")} to 100000, separated by commas, not '{text}'");
            }

            numbers.Add(number);
        }

        return numbers;
    }

    private static IPEndPoint EndPoint(BenchArguments arguments, string option, string fallback) =>
        IPEndPoint.TryParse(arguments.Text(option) ?? fallback, out var endPoint) && endPoint.Port > 0
            ? endPoint
            : throw new UsageException($"option '--{option}' takes IP:PORT, not '{arguments.Text(option)}'");
}
