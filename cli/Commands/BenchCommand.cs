using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Cluster.Cli.Connection;
using Cluster.Cli.Documents;
using Cluster.Cli.Load;

namespace Cluster.Cli.Commands;

/// <summary><c>bench MODEL INPUT…</c>: the same request over and over for a few seconds, over REST.</summary>
internal static class BenchCommand
{
    private const int DefaultConcurrency = 4;
    private const int DefaultSeconds = 10;
    private const int MostConcurrency = 1024;
    private const double MostRate = 100_000;

    private static readonly Column[] Columns =
    [
        new("REQUESTS", static row => row.Text("requests")),
        new("FAILED", static row => row.Text("failed")),
        new("SECONDS", static row => row.Text("seconds")),
        new("ANSWERS/S", static row => row.Text("answers_per_second")),
        new("P50 MS", static row => row.Text("p50_ms")),
        new("P90 MS", static row => row.Text("p90_ms")),
        new("P99 MS", static row => row.Text("p99_ms")),
        new("MAX MS", static row => row.Text("max_ms")),
    ];

    public static Command Create(Verbs verbs)
    {
        var request = new RequestArguments();
        var concurrency = new Option<int?>("--concurrency", "-c") { HelpName = "COUNT", Description = $"So many callers, each of which sends again when it is answered [default: {DefaultConcurrency}]" };
        var rate = new Option<double?>("--rate") { HelpName = "PER SECOND", Description = "In place of callers: so many requests a second, whether or not those before are answered" };
        var seconds = new Option<int>("--seconds") { HelpName = "SECONDS", Description = "How long requests are sent", DefaultValueFactory = static _ => DefaultSeconds };
        concurrency.TakesAtLeastOne(MostConcurrency);
        seconds.TakesAtLeastOne(CommonOptions.MostSeconds);
        rate.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && !(double.TryParse(text, CultureInfo.InvariantCulture, out var value) && value is > 0 and <= MostRate))
            {
                result.AddError($"--rate is '{text}', expected a number above 0, up to {MostRate}");
            }
        });
        var command = verbs.Create("bench", "Sends a request over and over and prints rates and latencies. Exit code 1 means that one failed. Needs infer, and read unless the input is a whole request.", async (session, parsed, cancellationToken) =>
        {
            var (duration, limit) = (TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(verbs.Options.Timeout)));
            if (duration >= limit)
            {
                throw CommandFailure.Usage($"--seconds is {duration.TotalSeconds:0}, expected less than --timeout, {limit.TotalSeconds:0}");
            }

            var (path, content) = await request.ReadAsync(session, parsed, cancellationToken);
            using var body = content;
            using var client = new ClusterClient(session.Connection, session.Surroundings.ConnectTimeout, isCompressed: false);
            var sender = await RepeatedRequest.BeginAsync(client, path, body, cancellationToken);
            var load = new BenchLoad(sender.SendAsync, session.Surroundings.Time);
            var figures = parsed.GetValue(rate) is { } perSecond
                ? await load.RunOpenAsync(perSecond, duration, cancellationToken)
                : await load.RunClosedAsync(parsed.GetValue(concurrency) ?? DefaultConcurrency, duration, cancellationToken);
            Write(session.Output, figures);
            return figures.Failed > 0 ? ExitCodes.Failed : ExitCodes.Done;
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(rate) is not null && result.GetResult(concurrency) is not null)
            {
                result.AddError("--rate and --concurrency are both given, expected one of them");
            }
        });
        request.AddTo(command);
        foreach (var option in new Option[] { concurrency, rate, seconds })
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static void Write(Printer output, BenchFigures figures)
    {
        JsonNode document = figures.ToJson();
        output.Write(document, [document], Columns);
        if (output.IsForPeople)
        {
            foreach (var (failure, count) in figures.Failures)
            {
                output.Line(string.Create(CultureInfo.InvariantCulture, $"{count} failed: {failure}"));
            }
        }
    }
}
