using System.Diagnostics;
using Cluster.Bench.Framework;
using Cluster.Tests.Common;

namespace Cluster.Bench.Attacks;

/// <summary>Attacks a server in each way in turn, while a client that behaves sends requests at a low rate: what it notices, and whether the server returns to its level.</summary>
internal sealed class AttacksBenchmark : IBenchmark
{
    /// <summary>The pool of messages keeps half of it after large ones, by its bound; heaps keep some after any load.</summary>
    private const double MemoryMarginMib = 256;
    private const int HandleMargin = 60;
    private const int ThreadMargin = 24;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    /// <summary>For connections to be closed and memory to be given back.</summary>
    private static readonly TimeSpan MostRest = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public string Name => "attacks";

    public string Summary => "a client's p99 while others attack each limit: floods, slow and unread connections, quotas, a full queue";

    public IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("seconds", "S", "time of each attack, 1 to 600; default 30"),
        new("quiet", "S", "time without it before, 1 to 600; default 10"),
        new("rate", "N", "requests a second of the client that behaves, 1 to 1000; default 50"),
        new("only", "WORDS", "attacks whose names have one of these words, separated by commas; default all"),
    ];

    /// <inheritdoc/>
    public async Task<BenchmarkReport> RunAsync(BenchContext context, CancellationToken cancellationToken)
    {
        var seconds = context.Arguments.Seconds("seconds", 30, 1, 600);
        var quiet = context.Arguments.Seconds("quiet", 10, 1, 600);
        var rate = context.Arguments.Integer("rate", 50, 1, 1000);
        var words = context.Arguments.Text("only")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var attacks = AttackList.All.Where(attack => words?.Any(word => attack.Name.Contains(word, StringComparison.Ordinal)) != false).ToList();
        if (attacks.Count == 0)
        {
            throw new UsageException($"no attack has one of these words: {string.Join(", ", words!)}");
        }

        var (started, machine) = (context.Time.GetUtcNow(), Machine.Read());
        var rows = new List<AttackRow>();
        foreach (var attack in attacks)
        {
            var row = await MeasureAsync(context.Root, attack, quiet, seconds, attack.Beside.RatePerSecond > 0 ? attack.Beside.RatePerSecond : rate, cancellationToken);
            await context.Progress.WriteLineAsync(AttackReport.Row(row));
            rows.Add(row);
        }

        return new AttackReport(Name, started, machine, quiet.TotalSeconds, seconds.TotalSeconds, rate, rows).ToReport();
    }

    private static async Task<AttackRow> MeasureAsync(string root, Attack attack, TimeSpan quiet, TimeSpan seconds, int rate, CancellationToken cancellationToken)
    {
        await using var server = await AttackedServer.StartAsync(root, attack, cancellationToken);
        var (id, target) = (server.Process.Id, server.Target(attack));
        using var client = new BehavedClient(target.Url(attack.Beside.Path), attack.Beside, server.Key, rate);
        await client.SendAsync(WarmUp, cancellationToken);
        var alone = await client.SendAsync(quiet, cancellationToken);
        var before = ProcessVitals.Of(id);

        BehavedFigures beside;
        ProcessVitals during;
        var callers = AttackProcess.Start(attack, target);
        await using (callers)
        {
            // The attack has begun before it is measured.
            await client.SendAsync(WarmUp, cancellationToken);
            beside = await client.SendAsync(seconds, cancellationToken);
            during = ProcessVitals.Of(id);
        }

        var (after, start) = (during, Stopwatch.GetTimestamp());
        do
        {
            await client.SendAsync(Look, cancellationToken);
            after = ProcessVitals.Of(id);
        }
        while (!IsBack(before, after) && Stopwatch.GetElapsedTime(start) < MostRest);

        return new AttackRow(attack.Name, attack.Limit, AttackProcess.TriesOf(callers), alone, beside, before, during, after, IsBack(before, after));
    }

    private static bool IsBack(ProcessVitals before, ProcessVitals after) =>
        after.ResidentMiB <= before.ResidentMiB + MemoryMarginMib && after.Handles <= before.Handles + HandleMargin && after.Threads <= before.Threads + ThreadMargin;
}
