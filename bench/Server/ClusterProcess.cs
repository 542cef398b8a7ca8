using System.Net;
using System.Text.RegularExpressions;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A silo or a gateway in a process of its own on ports that it takes itself and names in its log; ended on disposal, by its process id.</summary>
internal sealed partial class ClusterProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;
    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ClusterProcess(string program, IReadOnlyList<string> arguments) => _process = ChildProcess.Start(
        program, arguments, Read, () => _serving.TrySetException(new BenchmarkException($"'{arguments[0]}' ended before it served")));

    public int Id => _process.Id;

    public bool IsRunning => _process.IsRunning;

    public IPEndPoint Http { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>A gateway's.</summary>
    public IPEndPoint Grpc { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>A silo's address as <c>GET /v2/cluster</c> has it: <c>address:port@generation</c>.</summary>
    public string Silo { get; private set; } = "";

    /// <inheritdoc cref="ChildProcess.ResidentBytes"/>
    public long ResidentBytes => _process.ResidentBytes;

    /// <summary>Starts <paramref name="program"/> and waits until it says where it serves.</summary>
    /// <exception cref="BenchmarkException">It did not start; the message ends with its last lines.</exception>
    public static async Task<ClusterProcess> StartAsync(string program, IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        if (!File.Exists(program))
        {
            throw new BenchmarkException($"there is no server at {program}: build silo in Release, or name one with --silo");
        }

        var process = new ClusterProcess(program, arguments);
        try
        {
            await process._serving.Task.WaitAsync(StartTimeout, cancellationToken);
            return process;
        }
        catch (Exception error)
        {
            await process.DisposeAsync();
            throw error is BenchmarkException or TimeoutException ? new BenchmarkException($"{error.Message}{process.Tail()}") : error;
        }
    }

    /// <inheritdoc cref="ChildProcess.KillAsync"/>
    public Task KillAsync() => _process.KillAsync();

    /// <inheritdoc cref="ChildProcess.Tail"/>
    public string Tail() => _process.Tail();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    [GeneratedRegex(@"Silo S([^ ]+):(\d+) of cluster .* metrics and health on http://([^ ,]+),")]
    private static partial Regex SiloServes();

    [GeneratedRegex("Gateway serving REST on http://([^ ]+) and gRPC on http://([^ ]+) for")]
    private static partial Regex GatewayServes();

    private void Read(string line)
    {
        if (SiloServes().Match(line) is { Success: true } silo)
        {
            Silo = $"{silo.Groups[1].Value}@{silo.Groups[2].Value}";
            Http = IPEndPoint.Parse(silo.Groups[3].ValueSpan);
            _serving.TrySetResult();
        }
        else if (GatewayServes().Match(line) is { Success: true } gateway)
        {
            Http = IPEndPoint.Parse(gateway.Groups[1].ValueSpan);
            Grpc = IPEndPoint.Parse(gateway.Groups[2].ValueSpan);
            _serving.TrySetResult();
        }
    }
}
