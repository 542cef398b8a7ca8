using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A silo or a gateway in a process of its own on ports that it takes itself and names in its log; ended on disposal, by its process id.</summary>
internal sealed partial class ClusterProcess : IAsyncDisposable
{
    private const int TailLines = 20;
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Queue<string> _tail = new();
    private readonly TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ClusterProcess(string program, IReadOnlyList<string> arguments)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
            EnableRaisingEvents = true,
        };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Exited += (_, _) => _serving.TrySetException(new BenchmarkException($"'{arguments[0]}' ended before it served"));
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool IsRunning => !_process.HasExited;

    public IPEndPoint Http { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>A gateway's.</summary>
    public IPEndPoint Grpc { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>A silo's address as <c>GET /v2/cluster</c> has it: <c>address:port@generation</c>.</summary>
    public string Silo { get; private set; } = "";

    /// <summary>Resident memory, bytes.</summary>
    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

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

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            Signals.Terminate(_process.Id);
            using var timeout = new CancellationTokenSource(StopTimeout);
            try
            {
                await _process.WaitForExitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
            }
        }

        _process.Dispose();
    }

    /// <summary>The last lines that it wrote.</summary>
    public string Tail()
    {
        lock (_tail)
        {
            return _tail.Count == 0 ? "" : ":\n  " + string.Join("\n  ", _tail);
        }
    }

    [GeneratedRegex(@"Silo S([^ ]+):(\d+) of cluster .* metrics and health on http://([^ ,]+),")]
    private static partial Regex SiloServes();

    [GeneratedRegex("Gateway serving REST on http://([^ ]+) and gRPC on http://([^ ]+) for")]
    private static partial Regex GatewayServes();

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_tail)
        {
            _tail.Enqueue(line);
            if (_tail.Count > TailLines)
            {
                _tail.Dequeue();
            }
        }

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
