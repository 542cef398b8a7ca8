using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cluster.Tests.Common;

/// <summary>
/// A real redis-server on a free port of 127.0.0.1, with its files in a temporary folder. Ended by its id on disposal.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-redis-");
    private readonly bool _keepsData;
    private Process? _process;

    private RedisServer(bool keepsData)
    {
        _keepsData = keepsData;
        Port = FreePort();
    }

    public int Port { get; }

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Starts a server; skips the test where there is no redis-server.</summary>
    /// <param name="keepsData">True: what was written survives <see cref="StopAsync"/>.</param>
    /// <param name="arguments">More of its options.</param>
    public static async Task<RedisServer> StartNewAsync(bool keepsData = false, params string[] arguments)
    {
        Requires.Redis();
        var server = new RedisServer(keepsData);
        await server.StartAsync(arguments);
        return server;
    }

    /// <summary>Starts a server that speaks nothing but TLS, and wants no certificate of its clients.</summary>
    /// <param name="arguments">More of its options.</param>
    public static async Task<RedisServer> StartTlsAsync(TestCertificates certificates, params string[] arguments)
    {
        Requires.Redis();
        var server = new RedisServer(keepsData: false);
        await server.StartAsync(
        [
            "--port", "0", "--tls-port", server.Port.ToString(CultureInfo.InvariantCulture), "--tls-ca-cert-file", certificates.Authority,
            "--tls-cert-file", certificates.Certificate, "--tls-key-file", certificates.Key, "--tls-auth-clients", "no", .. arguments,
        ]);
        return server;
    }

    /// <summary>Starts the server again, on the same port.</summary>
    public async Task StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("redis-server") { RedirectStandardOutput = true, RedirectStandardError = true };
        string[] all =
        [
            "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.FullName, "--save", "",
            "--appendonly", _keepsData ? "yes" : "no", "--appendfsync", "always", .. arguments,
        ];
        foreach (var argument in all)
        {
            start.ArgumentList.Add(argument);
        }

        _process = Process.Start(start)!;
        _ = _process.StandardError.ReadToEndAsync();
        await ReadUntilReadyAsync(_process.StandardOutput).WaitAsync(StartTimeout);
        _ = _process.StandardOutput.ReadToEndAsync();
    }

    /// <summary>Kills the server: connections to it are reset.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }

    /// <summary>Suspends the server: connections stay, nothing answers.</summary>
    public void Suspend() => Signal("STOP");

    /// <summary>Ends <see cref="Suspend"/>.</summary>
    public void Resume() => Signal("CONT");

    /// <summary>Changes a setting of the running server.</summary>
    public async Task SetAsync(string setting, string value)
    {
        using var client = Process.Start(
            new ProcessStartInfo("redis-cli", ["-p", Port.ToString(CultureInfo.InvariantCulture), "config", "set", setting, value]) { RedirectStandardOutput = true })!;
        var answer = await client.StandardOutput.ReadToEndAsync();
        await client.WaitForExitAsync();
        if (answer.Trim() != "OK")
        {
            throw new InvalidOperationException($"redis-server does not take {setting} {value}: {answer}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private static async Task ReadUntilReadyAsync(StreamReader output)
    {
        var lines = new List<string>();
        while (await output.ReadLineAsync() is { } line)
        {
            lines.Add(line);
            if (line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                return;
            }
        }

        throw new InvalidOperationException($"redis-server ended; it wrote:\n{string.Join('\n', lines)}");
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Signal(string name)
    {
        using var kill = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -{name} {_process!.Id}")]);
        kill.WaitForExit();
    }
}
