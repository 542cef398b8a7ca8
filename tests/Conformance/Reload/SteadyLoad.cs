using System.Collections.Concurrent;
using System.Globalization;
using Cluster.Tests.Common;

namespace Cluster.Conformance.Reload;

/// <summary>Asks one model over one protocol at an even pace; the answer is the input plus a number that tells which content ran.</summary>
internal sealed class SteadyLoad(string name, Func<IInferClient> connect, string model, IReadOnlyList<float> contents)
{
    private const int FailuresKept = 10;
    private const int Elements = 64;

    /// <summary>Calls that connect, and that find nothing compiled yet; their times say nothing about reloads.</summary>
    private const int WarmUpCalls = 20;

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan CallTimeout = TimeSpan.FromSeconds(10);
    private static readonly float[] Values = [.. Enumerable.Range(0, Elements).Select(i => (float)i)];

    private readonly TimeProvider _time = TimeProvider.System;
    private readonly List<TimeSpan> _latencies = [];
    private TimeSpan _slowestAt;
    private readonly ConcurrentQueue<string> _failures = new();
    private readonly SortedDictionary<float, int> _answers = [];
    private int _failed;
    private int _calls;

    public int Failed => _failed;

    public int Answered => _latencies.Count;

    /// <summary>The first few.</summary>
    public IReadOnlyCollection<string> Failures => _failures;

    public TimeSpan Slowest { get; private set; }

    /// <summary>Runs until <paramref name="stop"/>; the call under way is finished.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var client = connect();
        using var pace = new PeriodicTimer(Pace);
        var begin = _time.GetTimestamp();
        while (!stop.IsCancellationRequested)
        {
            await pace.WaitForNextTickAsync(CancellationToken.None);
            var start = _time.GetTimestamp();
            try
            {
                using var timeout = new CancellationTokenSource(CallTimeout);
                var added = await AskAsync(client, timeout.Token);
                _answers[added] = _answers.GetValueOrDefault(added) + 1;
                if (++_calls > WarmUpCalls)
                {
                    var elapsed = _time.GetElapsedTime(start);
                    _slowestAt = elapsed > Slowest ? _time.GetElapsedTime(begin) : _slowestAt;
                    Slowest = elapsed > Slowest ? elapsed : Slowest;
                    _latencies.Add(elapsed);
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or InvalidDataException or HttpRequestException or OperationCanceledException)
            {
                if (_failed++ < FailuresKept)
                {
                    _failures.Enqueue($"{name} after {_time.GetElapsedTime(start).TotalMilliseconds:0} ms: {exception.Message}");
                }
            }
        }
    }

    public override string ToString()
    {
        var sorted = _latencies.Order().ToList();
        var answers = string.Join(", ", _answers.Select(answer => string.Create(CultureInfo.InvariantCulture, $"+{answer.Key}: {answer.Value}")));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {sorted.Count} answered ({answers}), {_failed} failed; ms: p50 {At(sorted, 0.5):0.0}, p99 {At(sorted, 0.99):0.0}, p99.9 {At(sorted, 0.999):0.0}, " +
            $"max {Slowest.TotalMilliseconds:0.0} at second {_slowestAt.TotalSeconds:0.0}");
    }

    private static double At(List<TimeSpan> sorted, double share) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(share * sorted.Count))].TotalMilliseconds;

    private async Task<float> AskAsync(IInferClient client, CancellationToken cancellation)
    {
        var output = (await client.InferAsync(model, [RawTensor.Fp32("INPUT0", [Elements], Values)], cancellation)).Single().ToFloats();
        var added = output[0] - Values[0];
        var whole = output.Length == Elements && contents.Contains(added) && Values.Zip(output).All(pair => pair.Second - pair.First == added);
        return whole ? added : throw new InvalidDataException($"no content of '{model}' answers so: {string.Join(' ', output.Take(4))}");
    }
}
