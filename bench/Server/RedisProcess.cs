using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Cluster.Bench.Framework;

namespace Cluster.Bench.Server;

/// <summary>A redis-server of our own on a free port of 127.0.0.1, its files in a temporary folder; ended by its process id on disposal.</summary>
internal sealed class RedisProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-bench-redis-");
    private readonly Process _process;

    private RedisProcess(int port)
    {
        Endpoint = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        string[] arguments =
        [
            "--port", port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.FullName, "--save", "", "--appendonly", "no",
        ];
        try
        {
            _process = Process.Start(new ProcessStartInfo("redis-server", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        }
        catch (Win32Exception error)
        {
            _folder.Delete();
            throw new BenchmarkException($"redis-server does not start (Debian package redis-server): {error.Message}");
        }
    }

    public int Id => _process.Id;

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Endpoint { get; }

    /// <exception cref="BenchmarkException">It did not start.</exception>
    public static async Task<RedisProcess> StartAsync(CancellationToken cancellationToken)
    {
        var redis = new RedisProcess(FreePorts.Take(1)[0]);
        try
        {
            _ = redis._process.StandardError.ReadToEndAsync(CancellationToken.None);
            await ReadUntilReadyAsync(redis._process.StandardOutput, cancellationToken).WaitAsync(StartTimeout, cancellationToken);
            _ = redis._process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        _folder.Delete(recursive: true);
    }

    private static async Task ReadUntilReadyAsync(StreamReader output, CancellationToken cancellationToken)
    {
        var last = "";
        while (await output.ReadLineAsync(cancellationToken) is { } line)
        {
            last = line;
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new BenchmarkException($"redis-server ended: {last}");
    }
}
