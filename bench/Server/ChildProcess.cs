using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cluster.Bench.Server;

/// <summary>A process that a benchmark started: what it writes is read, its last lines are kept, and it ends on disposal, by its process id.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private const int TailLines = 20;
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Queue<string> _tail = new();

    private ChildProcess(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment)
    {
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            _process.StartInfo.Environment[name] = value;
        }

        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
    }

    public int Id => _process.Id;

    public bool IsRunning => !_process.HasExited;

    /// <param name="program">A path.</param>
    /// <param name="arguments">Its arguments, as they are.</param>
    /// <param name="environment">Variables besides those of this process.</param>
    public static ChildProcess Start(string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var child = new ChildProcess(program, arguments, environment);
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>The last lines that it wrote, to end a message with.</summary>
    public string Tail()
    {
        lock (_tail)
        {
            return _tail.Count == 0 ? "" : ":\n  " + string.Join("\n  ", _tail);
        }
    }

    /// <summary>SIGTERM, and SIGKILL where that takes too long.</summary>
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
    }
}

/// <summary>The one POSIX call that .NET does not offer: a signal other than SIGKILL to another process.</summary>
internal static class Signals
{
    private const int Sigterm = 15;

    /// <summary>Asks the process to end; nothing happens if it is gone.</summary>
    public static void Terminate(int processId) => _ = Kill(processId, Sigterm);

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}
