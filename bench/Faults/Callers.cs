using System.Collections.Concurrent;
using System.Diagnostics;
using Cluster.Tests.Common;

namespace Cluster.Bench.Faults;

/// <summary>
/// A few callers, each of which asks one model after the other, pauses when it is answered, and never asks again for what failed. One clock times them and
/// what is asked besides.
/// </summary>
internal sealed class Callers : IAsyncDisposable
{
    private const int WarmUpRounds = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly List<MeshClient> _clients;
    private readonly MeshClient _besides;
    private readonly IReadOnlyList<LoadTarget> _targets;
    private readonly ConcurrentQueue<LoadRecord> _steady = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task<LoadRecord>> _others = [];
    private long _start;
    private Task _running = Task.CompletedTask;

    private Callers(string gateway, IReadOnlyList<LoadTarget> targets, int count)
    {
        _clients = [.. Enumerable.Range(0, count).Select(_ => new MeshClient(gateway))];
        _besides = new MeshClient(gateway);
        _targets = targets;
    }

    /// <summary>Since the callers began.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Starts to call, once every connection and every model has been used.</summary>
    public static async Task<Callers> StartAsync(string gateway, IReadOnlyList<LoadTarget> targets, int count)
    {
        var callers = new Callers(gateway, targets, count);
        foreach (var client in callers._clients.Append(callers._besides))
        {
            for (var i = 0; i < WarmUpRounds * targets.Count; i++)
            {
                await client.InferAsync(targets[i % targets.Count].Request, Deadline);
            }
        }

        callers._start = Stopwatch.GetTimestamp();
        callers._running = Task.WhenAll(callers._clients.Select((client, number) => Task.Run(() => CallAsync(callers, client, number))));
        return callers;
    }

    /// <summary>Asks once besides the callers, after what has to be done first; the answer is awaited at the end.</summary>
    public void Ask(LoadTarget target, Func<MeshClient, Task>? first = null) => _others.Add(Task.Run(async () =>
    {
        var start = Elapsed;
        try
        {
            await (first?.Invoke(_besides) ?? Task.CompletedTask);
        }
        catch (GrpcCallException refused)
        {
            return new LoadRecord(target.Model, 0, start, Elapsed - start, InferResult.Refused(refused.Answer));
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            return new LoadRecord(target.Model, 0, start, Elapsed - start, InferResult.Broken(error));
        }

        return await AskAsync(_besides, target, start);
    }));

    /// <summary>Calls no more, and waits for the answers.</summary>
    /// <returns>What the callers asked, and what was asked besides.</returns>
    public async Task<(LoadReport Steady, LoadReport Others)> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return (new LoadReport([.. _steady.OrderBy(static record => record.Due)]), new LoadReport(await Task.WhenAll(_others)));
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _clients.ForEach(static client => client.Dispose());
        _besides.Dispose();
        _stop.Dispose();
    }

    private static async Task CallAsync(Callers callers, MeshClient client, int number)
    {
        // Each begins with another model, so that not all wait for the same.
        for (var turn = number; !callers._stop.IsCancellationRequested; turn++)
        {
            callers._steady.Enqueue(await callers.AskAsync(client, callers._targets[turn % callers._targets.Count], callers.Elapsed));
            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task<LoadRecord> AskAsync(MeshClient client, LoadTarget target, TimeSpan start)
    {
        var result = await client.InferAsync(target.Request, Deadline);
        if (result.Number is { } answer && !target.Numbers.Contains(answer))
        {
            result = new InferResult(null, null, $"answered {answer}, which is not the number of '{target.Model}'", HasRetryHint: false);
        }

        return new LoadRecord(target.Model, 0, start, Elapsed - start, result);
    }
}
