using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A server of a build in a process of its own, on free ports of 127.0.0.1; ended on disposal, by its process id.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private const string All = "all";
    private const string Silo = "silo";
    private const string Gateway = "gateway";

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly HttpClient Client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(5) };

    private readonly ChildProcess _process;

    private ServerProcess(string program, string role, IReadOnlyList<string> arguments)
    {
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"there is no server at {program}: build silo in Release");
        }

        var ports = FreePorts.Take(2);
        (Http, Grpc) = (new IPEndPoint(IPAddress.Loopback, ports[0]), new IPEndPoint(IPAddress.Loopback, ports[1]));
        _process = ChildProcess.Start(program, [role, .. arguments, "--http-port", Text(ports[0]), role == Silo ? "--silo-port" : "--grpc-port", Text(ports[1]), .. role == Gateway ? ["--silo-port", "0"] : Array.Empty<string>()]);
    }

    public int Id => _process.Id;

    public bool IsRunning => _process.IsRunning;

    public IPEndPoint Http { get; }

    /// <summary>Of a silo it is the address by which the cluster knows it.</summary>
    public IPEndPoint Grpc { get; }

    public Target Target => new(Grpc, Http, [Id]);

    /// <summary>Starts one process with everything, and does not wait for it.</summary>
    /// <param name="options">More of its command line.</param>
    public static ServerProcess Launch(string program, string models, params string[] options) => new(program, All, ["--models", models, .. options]);

    /// <summary>Starts one process with everything and waits until it is ready.</summary>
    /// <exception cref="BenchmarkException">It did not start; the message ends with its last lines.</exception>
    public static Task<ServerProcess> StartAsync(string program, string models, CancellationToken cancellationToken, params string[] options) =>
        Launch(program, models, options).UntilAsync("ready", cancellationToken);

    /// <summary>Starts a silo and waits until it answers.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public static Task<ServerProcess> StartSiloAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        new ServerProcess(program, Silo, arguments).UntilAsync("live", cancellationToken);

    /// <summary>Starts a gateway and waits until it answers.</summary>
    /// <inheritdoc cref="StartAsync"/>
    public static Task<ServerProcess> StartGatewayAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken) =>
        new ServerProcess(program, Gateway, arguments).UntilAsync("live", cancellationToken);

    /// <summary>Whether the process answers its readiness probe.</summary>
    public Task<bool> IsReadyAsync(CancellationToken cancellationToken) => IsAsync("ready", cancellationToken);

    /// <inheritdoc cref="ChildProcess.KillAsync"/>
    public Task KillAsync() => _process.KillAsync();

    /// <inheritdoc cref="ChildProcess.Tail"/>
    public string Tail() => _process.Tail();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<ServerProcess> UntilAsync(string probe, CancellationToken cancellationToken)
    {
        try
        {
            var start = Stopwatch.GetTimestamp();
            while (!await IsAsync(probe, cancellationToken))
            {
                if (!IsRunning || Stopwatch.GetElapsedTime(start) > StartTimeout)
                {
                    throw new BenchmarkException($"the server {(IsRunning ? $"was not {probe} in time" : $"ended before it was {probe}")}{Tail()}");
                }

                await Task.Delay(Look, cancellationToken);
            }

            return this;
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    private async Task<bool> IsAsync(string probe, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await Client.GetAsync(new Uri($"http://{Http}/v2/health/{probe}"), cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception error) when (error is HttpRequestException || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}

/// <summary>What a load is sent to.</summary>
/// <param name="Processes">The ids of all processes that serve it.</param>
internal sealed record Target(IPEndPoint Grpc, IPEndPoint Http, IReadOnlyList<int> Processes);

/// <summary>Ports of 127.0.0.1 that are free at the moment.</summary>
internal static class FreePorts
{
    public static IReadOnlyList<int> Take(int count)
    {
        // All are held at the same time, so they differ.
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(static listener => listener.Start());
        var ports = listeners.ConvertAll(static listener => ((IPEndPoint)listener.LocalEndpoint).Port);
        listeners.ForEach(static listener => listener.Dispose());
        return ports;
    }
}
