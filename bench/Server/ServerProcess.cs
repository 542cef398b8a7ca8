using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A server of our own in a process of its own, on free ports of 127.0.0.1; ended on disposal, by its process id.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(50);

    private readonly ChildProcess _process;

    private ServerProcess(string program, IReadOnlyList<string> arguments, int httpPort, int grpcPort)
    {
        _process = ChildProcess.Start(program, arguments);
        Server = new ServerUnderTest(
            new IPEndPoint(IPAddress.Loopback, grpcPort),
            new IPEndPoint(IPAddress.Loopback, httpPort),
            _process.Id,
            "cluster-silo all, default settings, a process of its own on the same machine");
    }

    public ServerUnderTest Server { get; }

    /// <summary>Starts <paramref name="program"/> as <c>all</c> and waits until it says that it is ready.</summary>
    /// <exception cref="BenchmarkException">It did not start; the message ends with its last lines.</exception>
    public static async Task<ServerProcess> StartAsync(string program, string models, CancellationToken cancellationToken)
    {
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"there is no server at {program}: build silo in Release, or name one with --silo or --server");
        }

        var (http, grpc) = FreePorts.TakeTwo();
        var server = new ServerProcess(program, ["all", "--models", models, "--http-port", Text(http), "--grpc-port", Text(grpc)], http, grpc);
        try
        {
            await server.WaitReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task WaitReadyAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        var address = new Uri($"http://{Server.Http}/v2/health/ready");
        var start = Stopwatch.GetTimestamp();
        while (!await IsReadyAsync(client, address, cancellationToken))
        {
            if (!_process.IsRunning)
            {
                await _process.WaitForExitAsync(cancellationToken);
                throw new BenchmarkException($"the server ended with exit code {_process.ExitCode} before it was ready{_process.Tail()}");
            }

            if (Stopwatch.GetElapsedTime(start) > StartTimeout)
            {
                throw new BenchmarkException($"the server was not ready after {StartTimeout.TotalSeconds} s{_process.Tail()}");
            }

            await Task.Delay(PollInterval, cancellationToken);
        }
    }

    private static async Task<bool> IsReadyAsync(HttpClient client, Uri address, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.GetAsync(address, cancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
