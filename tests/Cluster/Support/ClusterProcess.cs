using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cluster.Tests.Common;

namespace Cluster.ClusterTests.Support;

/// <summary>
/// A silo or a gateway in a process of its own, ended by its id. What it is and where it serves is read from its log, the latest word counting: a silo
/// that was declared dead starts again in the same process.
/// </summary>
internal sealed partial class ClusterProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    private readonly List<string> _log = [];
    private readonly IReadOnlyList<string> _command;
    private TaskCompletionSource _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _process;
    private bool _suspended;

    /// <param name="name">For people, such as <c>silo 2</c>.</param>
    /// <param name="command">The program's arguments.</param>
    /// <param name="network">The network namespace to run in; null for this process' own.</param>
    public ClusterProcess(string name, IEnumerable<string> command, string? network = null)
    {
        Name = name;
        var program = Path.Combine(AppContext.BaseDirectory, "cluster-silo");
        _command = [.. network is null ? Array.Empty<string>() : ["ip", "netns", "exec", network], program, .. command];
    }

    public string Name { get; }

    /// <summary>The process' id.</summary>
    public int Id => _process!.Id;

    public bool IsRunning => _process is { HasExited: false };

    public int ExitCode => _process!.ExitCode;

    /// <summary>Where it serves HTTP: <c>http://address:port</c>.</summary>
    public string HttpUrl { get; private set; } = "";

    /// <summary>A gateway's <c>address:port</c> of gRPC.</summary>
    public string GrpcTarget { get; private set; } = "";

    /// <summary>A silo's address as <c>GET /v2/cluster</c> has it: <c>address:port@generation</c>.</summary>
    public string Silo { get; private set; } = "";

    /// <summary>The last lines that the process wrote.</summary>
    public string Tail(int lines)
    {
        lock (_log)
        {
            return string.Join('\n', _log.TakeLast(lines));
        }
    }

    /// <summary>Whether it wrote a line with this text.</summary>
    public bool Wrote(string text)
    {
        lock (_log)
        {
            return _log.Exists(line => line.Contains(text, StringComparison.Ordinal));
        }
    }

    /// <summary>Starts the process, again if it has ended, and waits until it serves.</summary>
    public async Task StartAsync()
    {
        _serving = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _process?.Dispose();
        var process = new Process { StartInfo = StartInfo(), EnableRaisingEvents = true };
        var serving = _serving;
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.Exited += (_, _) => serving.TrySetException(new InvalidOperationException($"{Name} has ended"));
        process.Start();
        _process = process;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await serving.Task.WaitAsync(StartTimeout);
        }
        catch (Exception exception) when (exception is InvalidOperationException or TimeoutException)
        {
            throw new InvalidOperationException($"{Name} did not start ({exception.Message}); it wrote:\n{Tail(40)}", exception);
        }
    }

    /// <summary>SIGKILL: nothing is said to anybody.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as container engines stop a process.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    public void Suspend()
    {
        _suspended = true;
        Signal("STOP");
    }

    /// <summary>SIGCONT.</summary>
    public void Resume()
    {
        _suspended = false;
        Signal("CONT");
    }

    /// <exception cref="TimeoutException">It still runs.</exception>
    public Task WaitForExitAsync(TimeSpan timeout) => _process!.WaitForExitAsync().WaitAsync(timeout);

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
        {
            return;
        }

        if (IsRunning)
        {
            if (_suspended)
            {
                Resume();
            }

            Terminate();
            try
            {
                await WaitForExitAsync(StopTimeout);
            }
            catch (TimeoutException)
            {
                await KillAsync();
            }
        }

        _process.Dispose();
    }

    private ProcessStartInfo StartInfo()
    {
        var start = new ProcessStartInfo(_command[0]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = TestPaths.Root };
        foreach (var argument in _command.Skip(1))
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    [GeneratedRegex(@"Silo S([^ ]+):(\d+) of cluster .* metrics and health on (http://[^ ,]+),")]
    private static partial Regex SiloServes();

    [GeneratedRegex(@"Gateway serving REST on (http://[^ ]+) and gRPC on http://([^ ]+) for")]
    private static partial Regex GatewayServes();

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_log)
        {
            _log.Add(line);
        }

        if (SiloServes().Match(line) is { Success: true } silo)
        {
            Silo = $"{silo.Groups[1].Value}@{silo.Groups[2].Value}";
            HttpUrl = silo.Groups[3].Value;
            _serving.TrySetResult();
        }
        else if (GatewayServes().Match(line) is { Success: true } gateway)
        {
            HttpUrl = gateway.Groups[1].Value;
            GrpcTarget = gateway.Groups[2].Value;
            _serving.TrySetResult();
        }
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{name} {Id}")]);
        kill.WaitForExit();
    }
}
