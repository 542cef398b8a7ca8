using System.Collections.Concurrent;
using System.Globalization;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Fuzz;

/// <summary>Sends many cases at once and keeps what came of them.</summary>
internal sealed class Storm(ServerProcess server, FuzzCases cases, int workers)
{
    private const int ViolationsKept = 20;

    /// <summary>The most that one call may take.</summary>
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Kind, string Outcome), int> _counts = new();
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private long _slowestTicks;
    private int _slowestNumber;
    private int _next;
    private int _violationCount;

    /// <summary>What must not have happened; the first few, with the cases that brought it about.</summary>
    public IReadOnlyCollection<string> Violations => _violations;

    public int ViolationCount => _violationCount;

    public TimeSpan Slowest => TimeSpan.FromTicks(_slowestTicks);

    /// <summary>The case that took the longest.</summary>
    public FuzzCase SlowestCase => cases.Create(_slowestNumber);

    /// <summary>Sends the cases from <paramref name="first"/> on; ends early once the server is dead, or enough has gone wrong.</summary>
    public async Task RunAsync(int first, int count)
    {
        _next = first;
        using var client = new FuzzClient(server);
        await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => Task.Run(() => WorkAsync(client, first + count))));
        if (server.HasExited)
        {
            _violations.Enqueue($"the server has ended with code {server.ExitCode}:\n{server.Output[^Math.Min(server.Output.Length, 4000)..]}");
        }
    }

    /// <summary>A line for each kind of case with the outcomes, and one for all.</summary>
    public IEnumerable<string> Report() => _counts
        .GroupBy(entry => entry.Key.Kind)
        .OrderBy(kind => kind.Key, StringComparer.Ordinal)
        .Select(kind => Line(kind.Key, kind))
        .Append(Line("all", _counts));

    private static string Line(string name, IEnumerable<KeyValuePair<(string Kind, string Outcome), int>> counts)
    {
        var outcomes = counts.GroupBy(entry => entry.Key.Outcome).Select(outcome => (Name: outcome.Key, Count: outcome.Sum(entry => entry.Value))).ToList();
        var parts = outcomes.OrderByDescending(outcome => outcome.Count).Select(outcome => $"{outcome.Name} {outcome.Count}");
        return string.Create(CultureInfo.InvariantCulture, $"{name}: {outcomes.Sum(outcome => outcome.Count)} ({string.Join(", ", parts)})");
    }

    private async Task WorkAsync(FuzzClient client, int end)
    {
        while (!server.HasExited && _violationCount < ViolationsKept && Interlocked.Increment(ref _next) - 1 is var number && number < end)
        {
            var sent = cases.Create(number);
            var start = _time.GetTimestamp();
            var verdict = await SendAsync(client, sent);
            var elapsed = _time.GetElapsedTime(start).Ticks;
            lock (_counts)
            {
                (_slowestTicks, _slowestNumber) = elapsed > _slowestTicks ? (elapsed, number) : (_slowestTicks, _slowestNumber);
            }


            _counts.AddOrUpdate((sent.Kind, verdict.Outcome), 1, (_, count) => count + 1);
            if (verdict.Violation is { } violation && Interlocked.Increment(ref _violationCount) <= ViolationsKept)
            {
                _violations.Enqueue($"{violation}\n    {sent}");
            }
        }
    }

    private static async Task<Verdict> SendAsync(FuzzClient client, FuzzCase sent)
    {
        using var timeout = new CancellationTokenSource(CallTimeout);
        try
        {
            return await client.SendAsync(sent, timeout.Token);
        }
        catch (OperationCanceledException)
        {
            return new Verdict("hang", $"no answer within {CallTimeout.TotalSeconds:0} s");
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or System.Net.Sockets.SocketException)
        {
            return new Verdict("broken", exception.ToString());
        }
    }
}
