using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;

namespace Cluster.Bench.Load;

/// <summary>
/// Sends requests by a fixed schedule and waits for no answer: a stall makes every request wait that is due meanwhile. Gateways take turns,
/// and models.
/// </summary>
internal sealed class OpenLoop : IAsyncDisposable
{
    /// <summary>Kestrel takes 100 requests at once on a connection; a stall must make requests wait in the server, not here.</summary>
    private const int ConnectionsPerGateway = 4;

    private const int WarmUpRounds = 20;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    private readonly GrpcClient[] _gateways;
    private readonly (string Model, byte[] Request)[] _requests;
    private readonly Workload _workload;
    private readonly double _rate;
    private readonly ConcurrentQueue<OpenRequest> _answered = new();
    private readonly CancellationTokenSource _stop = new();
    private long _start;
    private Task _running = Task.CompletedTask;

    private OpenLoop(IEnumerable<IPEndPoint> gateways, IEnumerable<string> models, Workload workload, double rate)
    {
        _gateways = [.. Enumerable.Repeat(gateways, ConnectionsPerGateway).SelectMany(static all => all).Select(static gateway => new GrpcClient(gateway))];
        _requests = [.. models.Select(model => (model, (workload with { Model = model }).ToMessage()))];
        _workload = workload;
        _rate = rate;
    }

    /// <summary>Since the loop began.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(_start);

    /// <summary>Starts to send, once every connection and every model has been used.</summary>
    /// <param name="rate">Requests a second.</param>
    public static async Task<OpenLoop> StartAsync(
        IEnumerable<IPEndPoint> gateways, IEnumerable<string> models, Workload workload, double rate)
    {
        var loop = new OpenLoop(gateways, models, workload, rate);
        await Task.WhenAll(loop._gateways.Select(async gateway =>
        {
            for (var i = 0; i < WarmUpRounds * loop._requests.Length; i++)
            {
                await loop.SendAsync(gateway, loop._requests[i % loop._requests.Length].Request);
            }
        }));
        loop._start = Stopwatch.GetTimestamp();
        loop._running = Task.Run(loop.RunAsync);
        return loop;
    }

    /// <summary>Sends no more requests, and waits for the answers.</summary>
    /// <returns>All requests in the order in which they were due.</returns>
    public async Task<IReadOnlyList<OpenRequest>> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return [.. _answered.OrderBy(static request => request.Due)];
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Array.ForEach(_gateways, static gateway => gateway.Dispose());
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        using var timer = new PeriodicTimer(Tick);
        var sending = new List<Task>();
        while (!_stop.IsCancellationRequested)
        {
            for (var due = (int)(Elapsed.TotalSeconds * _rate); sending.Count <= due;)
            {
                sending.Add(SendAsync(sending.Count));
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }

        await Task.WhenAll(sending);
    }

    private async Task SendAsync(int number)
    {
        await Task.Yield();
        var due = TimeSpan.FromSeconds(number / _rate);
        // All models through one connection, then all through the next: each model goes through every connection.
        var (model, request) = _requests[number % _requests.Length];
        var failure = await SendAsync(_gateways[number / _requests.Length % _gateways.Length], request);
        _answered.Enqueue(new OpenRequest(model, due, Elapsed - due, failure));
    }

    private async Task<string?> SendAsync(GrpcClient gateway, byte[] request)
    {
        try
        {
            _workload.CheckMessage(await gateway.InferAsync(request, CancellationToken.None));
            return null;
        }
        catch (Exception error) when (error is InvalidDataException or GrpcFailureException)
        {
            return error.Message;
        }
    }
}

/// <summary>One request of an open loop.</summary>
/// <param name="Due">When it was to be sent, since the loop began.</param>
/// <param name="Wait">From then to its answer.</param>
/// <param name="Failure">Null for a right answer.</param>
internal sealed record OpenRequest(string Model, TimeSpan Due, TimeSpan Wait, string? Failure);
