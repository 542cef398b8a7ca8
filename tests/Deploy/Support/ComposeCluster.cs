using System.Globalization;
using System.Runtime.CompilerServices;
using Cluster.Tests.Common;
using Xunit;

namespace Cluster.Deploy.Support;

/// <summary>
/// One cluster by docker-compose.yml out of a clean clone, with names and ports of its own, for all tests. Removed with its volumes and images in the end.
/// </summary>
public sealed class ComposeCluster : IAsyncLifetime, IGateways
{
    /// <summary>What a test finds when it begins, and leaves.</summary>
    public const int Silos = 3;

    private static readonly TimeSpan BuildTimeout = TimeSpan.FromMinutes(8);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    /// <summary>In the clone: the libraries of OpenVINO, among what images are made of.</summary>
    private const string WheelFolder = "deploy/openvino/libraries";

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    private readonly string _folder = Directory.CreateTempSubdirectory("cluster-deploy-").FullName;
    private readonly Dictionary<string, string> _environment = [];
    private IReadOnlyList<string> _compose = [];
    private IReadOnlyList<string> _danglingBefore = [];

    /// <summary>The clone.</summary>
    public string Root => Path.Combine(_folder, "clone");

    public string Project { get; } = string.Create(CultureInfo.InvariantCulture, $"clustertest{Environment.ProcessId}");

    public string SiloImage => Project + "-silo:test";

    public string GatewayImage => Project + "-gateway:test";

    /// <summary>Built by the test of its profile alone.</summary>
    public string SiloOpenVinoImage => Project + "-silo-openvino:test";

    /// <summary>The folder that silos read models from.</summary>
    public string Models => Path.Combine(_folder, "models");

    public int HttpPort { get; private set; }

    public int GrpcPort { get; private set; }

    public string HttpUrl => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}");

    public string GrpcTarget => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{GrpcPort}");

    public IReadOnlyList<string> GrpcTargets => [GrpcTarget];

    /// <summary>How long the images took.</summary>
    public TimeSpan BuildTime { get; private set; }

    /// <summary>From the command to the first right answer of a demo model.</summary>
    public TimeSpan FirstAnswer { get; private set; }

    /// <summary>From the command until the engine called every container healthy.</summary>
    public TimeSpan Healthy { get; private set; }

    public async ValueTask InitializeAsync()
    {
        if (Engine.MissingReason is not null)
        {
            return;
        }

        await CleanClone.MakeAsync(Root);
        ServedModels.Fill(Models);
        if (OpenVinoWheel.Lack is null)
        {
            // Before the first build: what is added to its sources has it made again.
            await Command.RunAsync(Path.Combine(Root, "deploy", "openvino", "install.sh"), ["--from", await OpenVinoWheel.BuiltInAsync(), Path.Combine(Root, WheelFolder)]);
        }

        var ports = FreePort.Take(2);
        (HttpPort, GrpcPort) = (ports[0], ports[1]);
        _compose = await Engine.ComposeAsync();
        _environment["COMPOSE_PROJECT_NAME"] = Project;
        _environment["SILO_IMAGE"] = SiloImage;
        _environment["GATEWAY_IMAGE"] = GatewayImage;
        _environment["SILO_OPENVINO_IMAGE"] = SiloOpenVinoImage;
        _environment["OPENVINO_WHEEL"] = WheelFolder;
        _environment["MODELS"] = Models;
        _environment["HTTP_PORT"] = HttpPort.ToString(CultureInfo.InvariantCulture);
        _environment["GRPC_PORT"] = GrpcPort.ToString(CultureInfo.InvariantCulture);
        _danglingBefore = await DanglingAsync();
        BuildTime = await TimeAsync(() => ComposeAsync(BuildTimeout, "build"));
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_compose.Count > 0)
        {
            await ComposeAsync("down", "--volumes", "--timeout", "20");
            await Engine.DockerAsync(["rmi", SiloImage, GatewayImage, .. (await DanglingAsync()).Except(_danglingBefore)]);
        }

        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Has so many silos run, by the README's command.</summary>
    public Task ScaleAsync(int silos) =>
        ComposeAsync("up", "-d", "--scale", string.Create(CultureInfo.InvariantCulture, $"silo={silos}"));

    /// <summary>Replaces every silo by one of an image, by the script that the documentation names.</summary>
    /// <exception cref="InvalidOperationException">It was halted; the message says why.</exception>
    public Task<string> UpdateAsync(string image) => UpdateAsync(("SILO_IMAGE", image));

    /// <inheritdoc cref="UpdateAsync(string)"/>
    /// <param name="variables">Of the environment, in place of the tests'.</param>
    public Task<string> UpdateAsync(params IEnumerable<(string Name, string Value)> variables) =>
        Command.RunAsync(Path.Combine(Root, "deploy", "update"), [], Root, With(variables), TimeSpan.FromMinutes(4));

    /// <summary>Has so many gateways run, with other variables than the tests' own; and waits until each is healthy.</summary>
    public async Task ScaleGatewaysAsync(int gateways, params IEnumerable<(string Name, string Value)> variables)
    {
        await Command.RunAsync(
            _compose[0], [.. _compose.Skip(1), "up", "-d", "--no-deps", "--scale", string.Create(CultureInfo.InvariantCulture, $"gateway={gateways}"), "gateway"], Root, With(variables), TimeSpan.FromMinutes(2));
        await GatewaysHealthyAsync(gateways);
    }

    /// <summary>Waits until so many gateways, and all else, are healthy.</summary>
    public Task GatewaysHealthyAsync(int gateways) => UntilAsync(() => IsHealthyAsync(Silos + gateways + 1), TimeSpan.FromMinutes(1), "every gateway is healthy");

    private Dictionary<string, string> With(IEnumerable<(string Name, string Value)> variables)
    {
        var environment = new Dictionary<string, string>(_environment);
        foreach (var (name, value) in variables)
        {
            environment[name] = value;
        }

        return environment;
    }

    public Task<string> ComposeAsync(params string[] arguments) => ComposeAsync(TimeSpan.FromMinutes(3), arguments);

    /// <summary>Compose in the clone, with other settings than this cluster's.</summary>
    internal Task<string> ComposeAsync(IReadOnlyDictionary<string, string> changes, params string[] arguments) =>
        Command.RunAsync(_compose[0], [.. _compose.Skip(1), .. arguments], Root, _environment.Concat(changes).GroupBy(static pair => pair.Key).ToDictionary(static pair => pair.Key, static pair => pair.Last().Value), TimeSpan.FromMinutes(3));

    /// <summary>The running containers of a service, by id.</summary>
    public Task<IReadOnlyList<string>> ContainersAsync(string service) => Engine.ContainersAsync(Project, service);

    /// <summary>A container's address in one of the cluster's networks.</summary>
    public async Task<string> AddressAsync(string container, string network = "inside") =>
        (await Engine.InspectAsync(container)).GetProperty("NetworkSettings").GetProperty("Networks").GetProperty($"{Project}_{network}").GetProperty("IPAddress").GetString()!;

    internal async Task<ClusterView> ViewAsync() => ClusterView.Parse(await Http.GetStringAsync(new Uri(HttpUrl + "/v2/cluster")));

    /// <summary>Waits until so many silos are members, and every model serves on members alone.</summary>
    internal Task<TimeSpan> WholeAsync(int silos, TimeSpan limit) => UntilAsync(view => IsWhole(view, silos), limit);

    /// <summary>Waits for that, and until each silo has taken its replica of the model that is to be everywhere.</summary>
    internal Task<TimeSpan> SpreadAsync(int silos, TimeSpan limit) =>
        UntilAsync(view => IsWhole(view, silos) && view.SilosOf(ServedModels.Everywhere).Count == silos, limit);

    /// <summary>Looks at the cluster until it is so; returns how long that took.</summary>
    /// <exception cref="TimeoutException">It did not become so.</exception>
    internal async Task<TimeSpan> UntilAsync(Func<ClusterView, bool> isSo, TimeSpan limit, [CallerArgumentExpression(nameof(isSo))] string what = "") =>
        await UntilAsync(async () => isSo(await ViewAsync()), limit, what);

    /// <summary>The last lines of every container.</summary>
    internal Task<string> LogsAsync() => ComposeAsync("logs", "--no-color", "--tail", "40");

    private static bool IsWhole(ClusterView view, int silos) =>
        view.Active.Count == silos && ServedModels.Targets.All(target => view.SilosOf(target.Model) is { Count: > 0 } holders && holders.All(view.IsActive));

    private async Task StartAsync()
    {
        var start = TimeProvider.System.GetTimestamp();
        await ScaleAsync(Silos);
        var body = await File.ReadAllTextAsync(Path.Combine(Root, "examples", "seven.json"));
        await UntilAsync(() => AnswersAsync(body), TimeSpan.FromMinutes(1), "the first answer");
        FirstAnswer = TimeProvider.System.GetElapsedTime(start);
        await UntilAsync(AllHealthyAsync, TimeSpan.FromMinutes(2), "every container is healthy");
        Healthy = TimeProvider.System.GetElapsedTime(start);
        await WholeAsync(Silos, TimeSpan.FromMinutes(1));
    }

    private async Task<bool> AnswersAsync(string body)
    {
        try
        {
            using var content = new StringContent(body);
            using var answer = await Http.PostAsync(new Uri(HttpUrl + "/v2/models/digits/infer"), content);
            return answer.IsSuccessStatusCode && (await answer.Content.ReadAsStringAsync()).Contains("1.000000:7:7", StringComparison.Ordinal);
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private Task<bool> AllHealthyAsync() => IsHealthyAsync(Silos + 2);

    private async Task<bool> IsHealthyAsync(int containers)
    {
        var states = await Engine.DockerAsync("ps", "--filter", $"label=com.docker.compose.project={Project}", "--format", "{{.Status}}");
        return states.Split('\n').Count(static state => state.Contains("(healthy)", StringComparison.Ordinal)) == containers;
    }

    /// <summary>The same for what takes a while to look at.</summary>
    internal async Task<TimeSpan> UntilAsync(Func<Task<bool>> isSo, TimeSpan limit, string what)
    {
        using var timer = new PeriodicTimer(Look);
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(start) > limit)
            {
                throw new TimeoutException($"not so within {limit.TotalSeconds:0.#} s: {what}\n{await LogsAsync()}");
            }

            await timer.WaitForNextTickAsync();
        }

        return TimeProvider.System.GetElapsedTime(start);
    }

    private async Task<string> ComposeAsync(TimeSpan timeout, params string[] arguments) =>
        await Command.RunAsync(_compose[0], [.. _compose.Skip(1), .. arguments], Root, _environment, timeout);

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var start = TimeProvider.System.GetTimestamp();
        await work();
        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Images without a name: a build leaves its stages as such.</summary>
    private static async Task<IReadOnlyList<string>> DanglingAsync() =>
        (await Engine.DockerAsync("images", "--quiet", "--no-trunc", "--filter", "dangling=true")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
