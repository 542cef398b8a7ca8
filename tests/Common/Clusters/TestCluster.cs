using System.Globalization;
using System.Runtime.CompilerServices;
using Cluster.Contracts.Errors;

namespace Cluster.Tests.Common;

/// <summary>
/// A Redis, silos and gateways, each a real process on free ports, that share a folder of models. Everything is ended on disposal, by its id, and the last
/// lines of every log go to the test's output, which is shown when the test fails. A benchmark takes none.
/// </summary>
public sealed class TestCluster : IGateways, IAsyncDisposable
{
    /// <summary>The model that a shared cluster has in <see cref="Models"/> from its start, and what it answers.</summary>
    public const string Shipped = "shipped";

    /// <inheritdoc cref="Shipped"/>
    public const float ShippedNumber = 7;

    private const int LinesShown = 60;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    /// <summary>A silo ends a replica that its model does not know any more after a minute, and looks each ten seconds.</summary>
    private static readonly TimeSpan EmptyTimeout = TimeSpan.FromSeconds(120);

    private readonly ClusterSetup _setup;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };
    private readonly List<ClusterProcess> _silos = [];
    private readonly List<ClusterProcess> _gateways = [];
    private readonly List<MeshClient> _clients = [];
    private Action<string>? _output;
    private string _suffix = "";

    private TestCluster(ClusterSetup setup, Action<string>? output)
    {
        _setup = setup;
        _output = output;
    }

    /// <summary>The folder of <c>--models</c>.</summary>
    public ModelFolder Models { get; } = ModelFolder.Create();

    /// <summary>The folder that models are registered from.</summary>
    public ModelFolder Registered { get; } = ModelFolder.Create();

    public RedisServer Redis { get; private set; } = null!;

    public IReadOnlyList<ClusterProcess> Silos => _silos;

    public IReadOnlyList<ClusterProcess> Gateways => _gateways;

    public IReadOnlyList<string> GrpcTargets => [.. _gateways.Select(static gateway => gateway.GrpcTarget)];

    public HttpClient Http => _http;

    /// <summary>What loses frames between the processes; null where they are all on this machine.</summary>
    public NetworkLab? Network => _setup.Network;

    /// <summary>Starts all processes at once and waits until every gateway sees every silo.</summary>
    /// <param name="output">Where the last lines of every log go; null for nowhere.</param>
    /// <param name="fill">Puts models into the folders before the silos start.</param>
    public static async Task<TestCluster> StartAsync(ClusterSetup setup, Action<string>? output = null, Action<TestCluster>? fill = null)
    {
        var cluster = new TestCluster(setup, output);
        try
        {
            fill?.Invoke(cluster);
            cluster.Redis = await RedisServer.StartNewAsync(keepsData: true, setup.Network is null ? [] : ["--bind", "127.0.0.1", setup.Network.HostAddress, "--protected-mode", "no"]);
            for (var i = 0; i < setup.Silos; i++)
            {
                cluster._silos.Add(cluster.NewSilo(i < setup.Labels.Count ? setup.Labels[i] : "", program: setup.Program));
            }

            for (var i = 0; i < setup.Gateways; i++)
            {
                cluster._gateways.Add(cluster.NewGateway(setup.Program));
            }

            await Task.WhenAll(cluster._silos.Concat(cluster._gateways).Select(static process => process.StartAsync()));
            await cluster.WholeAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>A name of a model or an alias that no other test of this cluster has: metrics count by name, and outlive a model.</summary>
    public string Named(string name) => name + _suffix;

    /// <summary>Another test begins.</summary>
    /// <param name="suffix">Of <see cref="Named"/>.</param>
    /// <param name="output">The test's.</param>
    public void Use(string suffix, Action<string>? output = null) => (_suffix, _output) = (suffix, output);

    /// <summary>Starts what does not run, ends what was added, takes away aliases and models, and waits until every gateway sees that.</summary>
    public async Task ClearAsync()
    {
        await Task.WhenAll(EndAddedAsync(_silos, _setup.Silos), EndAddedAsync(_gateways, _setup.Gateways));
        await Task.WhenAll(_silos.Concat(_gateways).Where(static process => !process.IsRunning).Select(static process => process.StartAsync()));
        await WholeAsync();
        using var client = new MeshClient(_gateways[0].GrpcTarget);

        // Each process finds Redis again by itself, and until then refuses changes.
        await UntilAsync(
            async () =>
            {
                try
                {
                    await client.RemoveAllAsync();
                    return true;
                }
                catch (GrpcCallException exception) when (exception.Answer.Status == StatusCode.Unavailable)
                {
                    return false;
                }
            },
            EmptyTimeout,
            "models and aliases can be taken away");
        foreach (var folder in Directory.EnumerateDirectories(Models.Path).Where(static folder => Path.GetFileName(folder) != Shipped))
        {
            Directory.Delete(folder, recursive: true);
        }

        for (var i = 0; i < _gateways.Count; i++)
        {
            await UntilAsync(IsClear, EmptyTimeout, i, "all silos are members, and without a model");
        }

        _clients.ForEach(static client => client.Dispose());
        _clients.Clear();
        _output = null;
    }

    /// <summary>Waits until every gateway sees every running silo as a member and is ready.</summary>
    public async Task WholeAsync()
    {
        for (var i = 0; i < _gateways.Count; i++)
        {
            if (_gateways[i].IsRunning)
            {
                await UntilAsync(view => _silos.Where(static silo => silo.IsRunning).All(silo => view.IsActive(silo.Silo)), StartTimeout, i, "all silos are members");
                var url = new Uri(_gateways[i].HttpUrl + "/v2/health/ready");
                await UntilAsync(() => IsOkAsync(url), StartTimeout, "the gateway is ready");
            }
        }
    }

    /// <summary>One more silo; returns when it serves.</summary>
    /// <param name="models">Its folder of models; null for the one that all share.</param>
    public async Task<ClusterProcess> AddSiloAsync(string labels = "", ModelFolder? models = null, string? openVino = null)
    {
        var silo = NewSilo(labels, models, openVino: openVino);
        _silos.Add(silo);
        await silo.StartAsync();
        return silo;
    }

    /// <summary>One more gateway; returns when it serves.</summary>
    public async Task<ClusterProcess> AddGatewayAsync()
    {
        var gateway = NewGateway();
        _gateways.Add(gateway);
        await gateway.StartAsync();
        return gateway;
    }

    /// <summary>Inference and management through one gateway.</summary>
    public MeshClient Client(int gateway)
    {
        var client = new MeshClient(_gateways[gateway].GrpcTarget);
        _clients.Add(client);
        return client;
    }

    public async Task<ClusterView> ViewAsync(int gateway = 0) =>
        ClusterView.Parse(await _http.GetStringAsync(new Uri(_gateways[gateway].HttpUrl + "/v2/cluster")));

    /// <summary>Looks at the cluster through a gateway until it is so; returns how long that took.</summary>
    /// <exception cref="TimeoutException">It did not become so; the message says what.</exception>
    public Task<TimeSpan> UntilAsync(
        Func<ClusterView, bool> isSo, TimeSpan limit, int gateway = 0, [CallerArgumentExpression(nameof(isSo))] string what = "") =>
        UntilAsync(async () => isSo(await ViewAsync(gateway)), limit, what);

    /// <inheritdoc cref="UntilAsync(Func{ClusterView, bool}, TimeSpan, int, string)"/>
    public async Task<TimeSpan> UntilAsync(Func<Task<bool>> isSo, TimeSpan limit, [CallerArgumentExpression(nameof(isSo))] string what = "")
    {
        using var timer = new PeriodicTimer(Look);
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException($"not so within {limit.TotalSeconds:0.#} s: {what}\n{await DescribeAsync()}");
            }

            await timer.WaitForNextTickAsync();
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Asks a model until it answers with its number.</summary>
    /// <exception cref="TimeoutException">It did not; the message has the last answer.</exception>
    public async Task AnswersAsync(MeshClient client, string model, float number, TimeSpan limit)
    {
        var last = "";
        try
        {
            await UntilAsync(
                async () =>
                {
                    var result = await client.InferAsync(model, limit);
                    last = $"{result}";
                    return result.Number == number;
                },
                limit,
                $"{model} answers {number}");
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"{exception.Message}\nthe last answer: {last}", exception);
        }
    }

    /// <summary>The sum of a metric over all running silos.</summary>
    public async Task<double> SumAsync(string family, params string[] labels)
    {
        var pages = await Task.WhenAll(_silos.Where(static silo => silo.IsRunning).Select(silo => MetricsPage.ReadAsync(_http, silo.HttpUrl)));
        return pages.Sum(page => page.Sum(family, labels));
    }

    /// <summary>Successful loads of a model by the silos that run.</summary>
    public Task<double> LoadsAsync(string model) => SumAsync("cluster_model_loads", $"name=\"{model}\"", "result=\"success\"");

    /// <summary>The silo at an address of <c>GET /v2/cluster</c>.</summary>
    public ClusterProcess SiloAt(string address) => _silos.Single(silo => silo.IsRunning && silo.Silo == address);

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(static client => client.Dispose());
        _http.Dispose();
        await EndAsync([.. _gateways, .. _silos]);
        foreach (var process in _silos.Concat(_gateways))
        {
            _output?.Invoke($"--- {process.Name} {process.Silo}, the last lines:\n{process.Tail(LinesShown)}");
        }

        if (Redis is not null)
        {
            await Redis.DisposeAsync();
        }

        Models.Dispose();
        Registered.Dispose();
        Network?.Dispose();
        _setup.PeerTls?.Dispose();
    }

    private static async Task EndAddedAsync(List<ClusterProcess> processes, int atStart)
    {
        await EndAsync([.. processes.Skip(atStart)]);
        processes.RemoveRange(atStart, processes.Count - atStart);
    }

    /// <summary>Ends processes at once: to leave properly takes seconds.</summary>
    private static Task EndAsync(IReadOnlyList<ClusterProcess> processes) => Task.WhenAll(processes.Select(static async process =>
    {
        if (process.IsRunning)
        {
            await process.KillAsync();
        }

        await process.DisposeAsync();
    }));

    private bool IsClear(ClusterView view) =>
        view.Active.Select(static node => node.Silo).Order().SequenceEqual(_silos.Select(static silo => silo.Silo).Order())
        && view.Active.All(node => node is { Draining: false, Loading: 0 } && node.Copies == view.ReplicasOn(node.Silo, [Shipped]))
        && view.Models.Keys.All(static model => model == Shipped);

    private async Task<bool> IsOkAsync(Uri url)
    {
        using var answer = await _http.GetAsync(url);
        return answer.IsSuccessStatusCode;
    }

    private async Task<string> DescribeAsync()
    {
        var index = _gateways.FindIndex(static gateway => gateway.IsRunning);
        return index < 0 ? "no gateway runs" : await _http.GetStringAsync(new Uri(_gateways[index].HttpUrl + "/v2/cluster"));
    }

    private ClusterProcess NewSilo(string labels, ModelFolder? models = null, string? program = null, string? openVino = null) => NewProcess(
        "silo",
        _silos.Count + 1,
        ["--silo-port", "0", "--models", (models ?? Models).Path, "--registered-models", Registered.Path, "--capacity", _setup.Capacity, .. labels.Length > 0 ? ["--labels", labels] : Array.Empty<string>(), .. openVino is null ? Array.Empty<string>() : ["--openvino", openVino]],
        program);

    private ClusterProcess NewGateway(string? program = null) => NewProcess("gateway", _gateways.Count + 1, ["--grpc-port", "0", "--silo-port", "0"], program);

    private ClusterProcess NewProcess(string role, int number, string[] arguments, string? program)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"{role} {number}");
        var machine = _setup.Network?.AddMachine();
        var redis = machine is null ? Redis.Endpoint : string.Create(CultureInfo.InvariantCulture, $"{_setup.Network!.HostAddress}:{Redis.Port}");
        string[] all = [role, "--redis", redis, "--cluster-id", "tests", "--http-port", "0", "--bind", machine?.Address ?? "127.0.0.1", .. _setup.PeerTls?.Options(role, number) ?? [], .. machine is null ? [] : (string[])["--insecure"], .. arguments];
        return new ClusterProcess(name, all, machine?.Name, _setup.Settings, program);
    }
}
