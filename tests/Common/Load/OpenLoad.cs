using System.Collections.Concurrent;

namespace Cluster.Tests.Common;

/// <summary>
/// Sends requests by a fixed schedule and waits for no answer: a server that stalls makes every request slow that was due meanwhile. Gateways take
/// turns, models take turns or are drawn.
/// </summary>
public sealed class OpenLoad : IAsyncDisposable
{
    /// <summary>Kestrel takes 100 requests at once on a connection; a stall must make requests wait in the server, not here.</summary>
    private const int ConnectionsPerGateway = 8;

    private const int WarmUpRounds = 10;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly List<List<MeshClient>> _clients;
    private readonly IReadOnlyList<LoadTarget> _targets;
    private readonly double _rate;
    private readonly TimeSpan _deadline;
    private readonly Random? _random;
    private readonly ConcurrentQueue<LoadRecord> _records = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time = TimeProvider.System;
    private long _start;
    private Task _running = Task.CompletedTask;

    private OpenLoad(IGateways cluster, IReadOnlyList<LoadTarget> targets, double rate, TimeSpan deadline, Random? random)
    {
        ThreadPool.GetMinThreads(out _, out var completion);
        ThreadPool.SetMinThreads(32, completion);
        _clients = [.. cluster.GrpcTargets.Select(static target => Enumerable.Range(0, ConnectionsPerGateway).Select(_ => new MeshClient(target)).ToList())];
        _targets = targets;
        _rate = rate;
        _deadline = deadline;
        _random = random;
    }

    /// <summary>Since the load began.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_start);

    /// <summary>Starts a load, and lets it run until nothing is cold any more: connections, compiled code, the caches of the gateways.</summary>
    /// <param name="rate">Requests a second, through all gateways together.</param>
    /// <param name="deadline">Of each request; default 30 s.</param>
    /// <param name="random">Draws the models; null: they take turns.</param>
    public static async Task<OpenLoad> StartAsync(
        IGateways cluster, IReadOnlyList<LoadTarget> targets, double rate = 200, TimeSpan? deadline = null, Random? random = null)
    {
        var load = new OpenLoad(cluster, targets, rate, deadline ?? TimeSpan.FromSeconds(30), random);
        await load.WarmUpAsync(random is null ? targets : [.. targets.Take(1)]);
        load._start = load._time.GetTimestamp();
        load._running = Task.Run(load.RunAsync);
        return load;
    }

    /// <summary>Waits until the load has run for so long.</summary>
    public async Task UntilAsync(TimeSpan elapsed)
    {
        if (elapsed - Elapsed is { } rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, _time);
        }
    }

    /// <summary>Lets the load go on for so long.</summary>
    public Task GoOnAsync(TimeSpan time) => UntilAsync(Elapsed + time);

    /// <summary>Sends no more requests, and waits for the answers.</summary>
    public async Task<LoadReport> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return new LoadReport([.. _records.OrderBy(static record => record.Due)]);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _clients.ForEach(static clients => clients.ForEach(static client => client.Dispose()));
        _stop.Dispose();
    }

    private Task WarmUpAsync(IReadOnlyList<LoadTarget> targets) => Task.WhenAll(_clients.SelectMany(static clients => clients).Select(async client =>
    {
        for (var round = 0; round < WarmUpRounds; round++)
        {
            foreach (var target in targets)
            {
                await client.InferAsync(target.Request, _deadline);
            }
        }
    }));

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Tick);
        var pending = new List<Task>();
        for (long sent = 0; !_stop.IsCancellationRequested;)
        {
            for (var due = (long)(Elapsed.TotalSeconds * _rate); sent <= due; sent++)
            {
                pending.Add(SendAsync(sent));
            }

            if (sent % 1000 == 0)
            {
                pending.RemoveAll(static call => call.IsCompletedSuccessfully);
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        await Task.WhenAll(pending);
    }

    private async Task SendAsync(long number)
    {
        var due = TimeSpan.FromSeconds(number / _rate);
        var gateway = (int)(number % _clients.Count);
        var turn = number / _clients.Count;
        var client = _clients[gateway][(int)(turn % ConnectionsPerGateway)];
        var target = _targets[_random?.Next(_targets.Count) ?? (int)(turn % _targets.Count)];
        await Task.Yield();
        var result = await client.InferAsync(target.Request, _deadline);
        if (result.Number is { } answer && !target.Numbers.Contains(answer))
        {
            result = new InferResult(null, null, $"answered {answer}, which is not the number of '{target.Model}'", HasRetryHint: false);
        }

        _records.Enqueue(new LoadRecord(target.Model, gateway, due, Elapsed - due, result));
    }
}

/// <summary>A model, or an alias, to ask.</summary>
/// <param name="Numbers">The answers that are right.</param>
public sealed record LoadTarget(string Model, params IReadOnlyList<float> Numbers)
{
    public byte[] Request { get; } = MeshClient.Request(Model);
}

/// <summary>A cluster that a load can be sent to.</summary>
public interface IGateways
{
    /// <summary><c>host:port</c> of every gateway, for gRPC.</summary>
    IReadOnlyList<string> GrpcTargets { get; }
}
