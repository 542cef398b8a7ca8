using System.Diagnostics;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A Redis, silos and gateways of our own on 127.0.0.1, each a process; all ended on disposal, by their ids.</summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private const string ClusterId = "bench";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _program;
    private readonly string _models;
    private readonly RedisProcess _redis;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly List<ServerProcess> _silos = [];
    private readonly List<ServerProcess> _gateways = [];

    private BenchCluster(string program, string models, RedisProcess redis)
    {
        _program = program;
        _models = models;
        _redis = redis;
    }

    public IReadOnlyList<ServerProcess> Silos => _silos;

    public IReadOnlyList<ServerProcess> Gateways => _gateways;

    /// <summary>The first gateway, and all processes behind it.</summary>
    public Target Target => new(_gateways[0].Grpc, _gateways[0].Http, ProcessIds);

    /// <summary>Of all that run.</summary>
    public IReadOnlyList<int> ProcessIds =>
        [_redis.Id, .. _silos.Concat(_gateways).Where(static process => process.IsRunning).Select(static process => process.Id)];

    /// <summary>Starts the processes and waits until every gateway is ready and sees every silo.</summary>
    /// <param name="models">The repository's folder; models are registered from it, too.</param>
    /// <exception cref="BenchmarkException">One did not start.</exception>
    public static async Task<BenchCluster> StartAsync(
        string program, string models, int silos, int gateways, CancellationToken cancellationToken)
    {
        var cluster = new BenchCluster(program, models, await RedisProcess.StartAsync(cancellationToken));
        try
        {
            await cluster.StartAsync(silos, gateways, cancellationToken);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts silos, then gateways, and waits until every gateway is ready and sees every silo.</summary>
    public async Task StartAsync(int silos, int gateways, CancellationToken cancellationToken)
    {
        for (var i = 0; i < silos; i++)
        {
            await AddSiloAsync(cancellationToken);
        }

        for (var i = 0; i < gateways; i++)
        {
            await AddGatewayAsync(cancellationToken);
        }

        await WholeAsync(cancellationToken);
    }

    /// <summary>Ends gateways, then silos, by SIGTERM; Redis stays with what it holds.</summary>
    public async Task EndAsync()
    {
        await Task.WhenAll(_gateways.Select(static process => process.DisposeAsync().AsTask()));
        await Task.WhenAll(_silos.Select(static process => process.DisposeAsync().AsTask()));
        _gateways.Clear();
        _silos.Clear();
    }

    public async Task<ServerProcess> AddSiloAsync(CancellationToken cancellationToken)
    {
        var silo = await ServerProcess.StartSiloAsync(_program, [.. Common(), "--models", _models], cancellationToken);
        _silos.Add(silo);
        return silo;
    }

    public async Task<ServerProcess> AddGatewayAsync(CancellationToken cancellationToken)
    {
        var gateway = await ServerProcess.StartGatewayAsync(_program, Common(), cancellationToken);
        _gateways.Add(gateway);
        return gateway;
    }

    /// <summary>Waits until every gateway sees every silo that runs as a member, and is ready.</summary>
    public async Task WholeAsync(CancellationToken cancellationToken)
    {
        foreach (var gateway in _gateways)
        {
            var silos = _silos.Where(static silo => silo.IsRunning).Select(static silo => silo.Grpc.ToString()).ToList();
            await UntilAsync(gateway, view => silos.TrueForAll(view.ActiveSilos.Contains), "all silos are members", cancellationToken);
            await UntilAsync(() => gateway.IsReadyAsync(cancellationToken), "the gateway is ready", cancellationToken);
        }
    }

    /// <summary>What a gateway says about the cluster.</summary>
    public async Task<ClusterReplicas> CopiesAsync(ServerProcess gateway, CancellationToken cancellationToken)
    {
        await using var json = await _http.GetStreamAsync(new Uri($"http://{gateway.Http}/v2/cluster"), cancellationToken);
        return ClusterReplicas.Parse(json);
    }

    /// <summary>Looks at the cluster through a gateway until it is so.</summary>
    /// <exception cref="BenchmarkException">It did not become so within a minute.</exception>
    public Task UntilAsync(ServerProcess gateway, Func<ClusterReplicas, bool> isSo, string what, CancellationToken cancellationToken) =>
        UntilAsync(async () => isSo(await CopiesAsync(gateway, cancellationToken)), what, cancellationToken);

    /// <inheritdoc cref="UntilAsync(ServerProcess, Func{ClusterReplicas, bool}, string, CancellationToken)"/>
    public async Task UntilAsync(Func<Task<bool>> isSo, string what, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        while (!await isSo())
        {
            if (Stopwatch.GetElapsedTime(start) > Patience)
            {
                var logs = _gateways.Concat(_silos).Select(static process => process.Tail());
                throw new BenchmarkException($"not so within {Patience.TotalSeconds} s: {what}{string.Concat(logs)}");
            }

            await Task.Delay(Look, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await EndAsync();
        await _redis.DisposeAsync();
    }

    private string[] Common() => ["--redis", _redis.Endpoint, "--cluster-id", ClusterId];
}
