using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>A process that a test or a benchmark started: what it writes is kept, and it ends on disposal, by its id.</summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private const int Sigterm = 15;
    private const int Sigcont = 18;
    private const int Sigstop = 19;

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(15);

    private readonly Process _process;
    private readonly Action<string>? _wrote;
    private readonly List<string> _lines = [];
    private bool _disposed;
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(ProcessStartInfo start, Action<string>? wrote)
    {
        start.RedirectStandardOutput = start.RedirectStandardError = true;
        _wrote = wrote;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Read(line.Data);
        _process.ErrorDataReceived += (_, line) => Read(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool IsRunning => !_disposed && !_process.HasExited;

    /// <summary>Once it has ended.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Everything that it wrote so far.</summary>
    public string Output => Tail(int.MaxValue);

    /// <param name="command">The program and its arguments, as they are.</param>
    /// <param name="wrote">Called with each line that it writes.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program.</exception>
    public static ChildProcess Start(IReadOnlyList<string> command, Action<string>? wrote = null) =>
        new(new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = TestPaths.Root }, wrote);

    /// <summary>Waits for a line, which may be there already.</summary>
    /// <exception cref="InvalidOperationException">The process ended or took too long; the message ends with what it wrote last.</exception>
    public async Task<Match> LineAsync(Regex expected, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var late = Task.Delay(timeout, waiting.Token);
        var ended = _process.WaitForExitAsync(waiting.Token);
        try
        {
            for (var next = 0; ;)
            {
                // What it wrote is complete once it has ended, so its last lines are looked at after that.
                var over = ended.IsCompleted ? "ended" : late.IsCompleted ? $"wrote nothing like '{expected}' for {timeout.TotalSeconds} s" : null;
                Task more;
                lock (_lines)
                {
                    for (; next < _lines.Count; next++)
                    {
                        if (expected.Match(_lines[next]) is { Success: true } match)
                        {
                            return match;
                        }
                    }

                    more = _more.Task;
                }

                cancellationToken.ThrowIfCancellationRequested();
                if (over is not null)
                {
                    throw new InvalidOperationException($"{Path.GetFileName(_process.StartInfo.FileName)} {over}; it wrote:\n{Tail(40)}");
                }

                await Task.WhenAny(more, ended, late);
            }
        }
        finally
        {
            await waiting.CancelAsync();
        }
    }

    /// <summary>The last lines that it wrote.</summary>
    public string Tail(int lines)
    {
        lock (_lines)
        {
            return string.Join('\n', _lines.TakeLast(lines));
        }
    }

    /// <summary>SIGTERM: asks it to end, as Ctrl+C and container engines do.</summary>
    public void Terminate() => _ = Kill(Id, Sigterm);

    /// <summary>SIGSTOP: connections stay, nothing answers.</summary>
    public void Suspend() => _ = Kill(Id, Sigstop);

    /// <summary>SIGCONT, the end of <see cref="Suspend"/>.</summary>
    public void Resume() => _ = Kill(Id, Sigcont);

    /// <summary>SIGKILL; returns when the process is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>Returns when the process is gone and all that it wrote is read.</summary>
    /// <exception cref="TimeoutException">It still runs.</exception>
    public Task WaitForExitAsync(TimeSpan timeout) => _process.WaitForExitAsync().WaitAsync(timeout);

    /// <summary>SIGTERM, and SIGKILL where that takes too long.</summary>
    public async ValueTask DisposeAsync()
    {
        if (IsRunning)
        {
            // A suspended process gets the first signal only with the second.
            Terminate();
            Resume();
            try
            {
                await WaitForExitAsync(StopTimeout);
            }
            catch (TimeoutException)
            {
                await KillAsync();
            }
        }

        _disposed = true;
        _process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null)
        {
            return;
        }

        // Before the line can be found: who found it may rely on what was read of it.
        _wrote?.Invoke(line);
        lock (_lines)
        {
            _lines.Add(line);
            _more.SetResult();
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>The one POSIX call that .NET lacks: a signal other than SIGKILL. Nothing happens if the process is gone.</summary>
    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);
}
