using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>
/// A server in a process of its own, on free ports of 127.0.0.1, as an operator starts it. Ended by its id on disposal: SIGTERM, then after ten
/// seconds SIGKILL.
/// </summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly List<string> _log = [];
    private readonly TaskCompletionSource<(int Http, int Grpc)> _ports = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ServerProcess(Process process)
    {
        _process = process;
    }

    /// <summary>The process' id.</summary>
    public int Id => _process.Id;

    public int HttpPort { get; private set; }

    public int GrpcPort { get; private set; }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public string HttpUrl => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{HttpPort}");

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string GrpcTarget => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{GrpcPort}");

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Everything that the server wrote so far.</summary>
    public string Output
    {
        get
        {
            lock (_log)
            {
                return string.Join('\n', _log);
            }
        }
    }

    /// <summary>Starts a server and waits until it has tried every model.</summary>
    public static async Task<ServerProcess> StartAsync(params string[] arguments)
    {
        var server = Launch([.. arguments, "--http-port", "0", "--grpc-port", "0"]);
        try
        {
            (server.HttpPort, server.GrpcPort) = await server._ports.Task.WaitAsync(StartTimeout);
            await server._ready.Task.WaitAsync(StartTimeout);
            return server;
        }
        catch (Exception exception)
        {
            await server.DisposeAsync();
            throw new InvalidOperationException($"the server did not become ready ({exception.Message}); it wrote:\n{server.Output}", exception);
        }
    }

    /// <summary>Runs a server that is expected to end by itself; returns its exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> RunToEndAsync(params string[] arguments)
    {
        await using var server = Launch(arguments);
        await server._process.WaitForExitAsync().WaitAsync(StartTimeout);
        return (server.ExitCode, server.Output);
    }

    /// <summary>Asks the server to stop, as Ctrl+C and container engines do, without waiting.</summary>
    public void Terminate() => Signal("TERM");

    /// <summary>Waits for the server's end.</summary>
    public Task WaitForExitAsync(TimeSpan timeout) => _process.WaitForExitAsync().WaitAsync(timeout);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Terminate();
            try
            {
                await WaitForExitAsync(StopTimeout);
            }
            catch (TimeoutException)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }

        _process.Dispose();
    }

    private static ServerProcess Launch(IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "cluster-silo"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = TestPaths.Root,
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        var server = new ServerProcess(new Process { StartInfo = start, EnableRaisingEvents = true });
        server._process.OutputDataReceived += (_, line) => server.Read(line.Data);
        server._process.ErrorDataReceived += (_, line) => server.Read(line.Data);
        server._process.Exited += (_, _) => server.Fail();
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return server;
    }

    [GeneratedRegex(@"Serving REST on http://[^ ]*:(\d+) and gRPC on http://[^ ]*:(\d+),")]
    private static partial Regex Addresses();

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

        if (Addresses().Match(line) is { Success: true } match)
        {
            _ports.TrySetResult((
                int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture), int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture)));
        }

        if (line.Contains("Ready: ", StringComparison.Ordinal))
        {
            _ready.TrySetResult();
        }
    }

    private void Fail()
    {
        var ended = new InvalidOperationException("the server has ended");
        _ports.TrySetException(ended);
        _ready.TrySetException(ended);
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{name} {_process.Id}")]);
        kill.WaitForExit();
    }
}
