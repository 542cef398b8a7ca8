using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cluster.Conformance.Clients;

/// <summary>
/// A child process that answers each line of JSON on its input with one on its output, in any order. The id tells which belongs to which.
/// Commands may be sent from any thread.
/// </summary>
internal sealed class DriverProcess : IAsyncDisposable
{
    private const int StandardErrorLines = 50;
    private static readonly TimeSpan ExitTimeout = TimeSpan.FromSeconds(2);

    private readonly string _name;
    private readonly Process _process;
    private readonly Task _reading;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentQueue<string> _standardError = new();
    private readonly ConcurrentDictionary<long, TaskCompletionSource<JsonElement>> _pending = new();
    private volatile DriverException? _failure;
    private long _lastId;
    private int _disposed;

    private DriverProcess(string name, Process process)
    {
        _name = name;
        _process = process;
        process.ErrorDataReceived += (_, line) => KeepError(line.Data);
        process.BeginErrorReadLine();
        _reading = ReadAsync();
    }

    /// <exception cref="DriverException">There is no such program.</exception>
    public static DriverProcess Start(string name, string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
        };
        start.Environment["PYTHONDONTWRITEBYTECODE"] = "1";
        try
        {
            return new DriverProcess(name, Process.Start(start)!);
        }
        catch (Win32Exception missing)
        {
            throw new DriverException($"The {name} client driver cannot be started: {missing.Message}", missing);
        }
    }

    public long NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>Cancelling gives up the answer; the command itself goes on in the driver.</summary>
    /// <exception cref="DriverException">The driver refused the command, has ended, or did not answer in time.</exception>
    public async Task<JsonElement> SendAsync(long id, JsonObject command, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        _pending[id] = answer;
        try
        {
            command["id"] = id;
            await WriteAsync(command.ToJsonString(), cancellationToken);
            var result = await answer.Task.WaitAsync(timeout, cancellationToken);
            return result.TryGetProperty("driverError", out var error)
                ? throw new DriverException($"The {_name} client driver refused {command["op"]}: {error.GetString()}")
                : result;
        }
        catch (TimeoutException late)
        {
            throw new DriverException($"The {_name} client driver did not answer {command["op"]} within {timeout.TotalSeconds} s.{ErrorText()}", late);
        }
        finally
        {
            _pending.TryRemove(id, out _);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        _failure ??= new DriverException($"The {_name} client driver is disposed.");
        // A write that hangs, because the driver reads no more, must not keep it alive.
        if (await _writing.WaitAsync(ExitTimeout))
        {
            _process.StandardInput.Close();
            _writing.Release();
        }

        try
        {
            await _process.WaitForExitAsync().WaitAsync(ExitTimeout);
        }
        catch (TimeoutException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }

        await _reading;
        _process.Dispose();
    }

    private async Task WriteAsync(string line, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken);
        try
        {
            // Checked after the command is pending: a driver that ends from here on fails it.
            if (_failure is { } failure)
            {
                throw failure;
            }

            // Not cancelled half way: a part of a line would spoil the next one.
            await _process.StandardInput.WriteAsync(line + "\n");
            await _process.StandardInput.FlushAsync(CancellationToken.None);
        }
        catch (IOException broken)
        {
            throw new DriverException($"The {_name} client driver has ended.{ErrorText()}", broken);
        }
        finally
        {
            _writing.Release();
        }
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _process.StandardOutput.ReadLineAsync() is { } line)
            {
                Complete(JsonSerializer.Deserialize<JsonElement>(line));
            }

            await _process.WaitForExitAsync();
            Fail(new DriverException($"The {_name} client driver ended with exit code {_process.ExitCode}.{ErrorText()}"));
        }
        catch (JsonException spoilt)
        {
            Fail(new DriverException($"The {_name} client driver wrote a line that is no JSON: {spoilt.Message}.{ErrorText()}", spoilt));
        }
    }

    private void Complete(JsonElement answer)
    {
        if (!answer.TryGetProperty("id", out var id))
        {
            KeepError(answer.GetRawText());
        }
        else if (_pending.TryGetValue(id.GetInt64(), out var waiting))
        {
            waiting.TrySetResult(answer);
        }
    }

    private void Fail(DriverException failure)
    {
        _failure = failure;
        foreach (var waiting in _pending.Values)
        {
            waiting.TrySetException(failure);
        }
    }

    private void KeepError(string? line)
    {
        if (line is null)
        {
            return;
        }

        _standardError.Enqueue(line);
        if (_standardError.Count > StandardErrorLines)
        {
            _standardError.TryDequeue(out _);
        }
    }

    private string ErrorText() => _standardError.IsEmpty ? "" : $" It wrote:\n{string.Join('\n', _standardError)}";
}

/// <summary>The driver, not the server under test, failed: it did not start, ended, refused a command or did not answer.</summary>
public sealed class DriverException : Exception
{
    public DriverException(string message)
        : base(message)
    {
    }

    public DriverException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
