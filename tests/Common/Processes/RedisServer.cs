using System.Globalization;
using System.Text.RegularExpressions;

namespace Cluster.Tests.Common;

/// <summary>A real redis-server on a free port of 127.0.0.1, with its files in a temporary folder. Ended by its id on disposal.</summary>
public sealed partial class RedisServer : IAsyncDisposable
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(20);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("cluster-redis-");
    private readonly bool _keepsData;
    private readonly string[] _arguments;
    private ChildProcess? _process;

    private RedisServer(bool keepsData, string[] arguments)
    {
        _keepsData = keepsData;
        _arguments = arguments;
    }

    public int Port { get; } = FreePort.Take();

    /// <summary><c>127.0.0.1:port</c>.</summary>
    public string Endpoint => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{Port}");

    /// <summary>Of the running server.</summary>
    public int Id => _process!.Id;

    /// <summary>Starts a server; skips the test where there is no redis-server.</summary>
    /// <param name="keepsData">True: what was written survives <see cref="StopAsync"/>.</param>
    /// <param name="arguments">More of its options.</param>
    public static async Task<RedisServer> StartNewAsync(bool keepsData = false, params string[] arguments)
    {
        Requires.Redis();
        var server = new RedisServer(keepsData, arguments);
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts a server that speaks nothing but TLS, and wants no certificate of its clients.</summary>
    /// <param name="arguments">More of its options.</param>
    public static async Task<RedisServer> StartTlsAsync(TestCertificates certificates, params string[] arguments)
    {
        Requires.Redis();
        var server = new RedisServer(keepsData: false, []);
        await server.StartAsync(
        [
            "--port", "0", "--tls-port", server.Port.ToString(CultureInfo.InvariantCulture), "--tls-ca-cert-file", certificates.Authority,
            "--tls-cert-file", certificates.Certificate, "--tls-key-file", certificates.Key, "--tls-auth-clients", "no", .. arguments,
        ]);
        return server;
    }

    /// <summary>Starts the server again, on the same port and with the options that it was first started with.</summary>
    /// <param name="arguments">Options for this start alone.</param>
    public async Task StartAsync(params string[] arguments)
    {
        _process = ChildProcess.Start(
        [
            "redis-server", "--port", Port.ToString(CultureInfo.InvariantCulture), "--bind", "127.0.0.1", "--dir", _folder.FullName, "--save", "",
            "--appendonly", _keepsData ? "yes" : "no", "--appendfsync", "always", .. _arguments, .. arguments,
        ]);
        await _process.LineAsync(Ready(), StartTimeout);
    }

    /// <summary>Kills the server: connections to it are reset.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            await process.KillAsync();
            await process.DisposeAsync();
        }
    }

    /// <summary>Deletes what a stopped server kept.</summary>
    public void Forget()
    {
        foreach (var folder in _folder.EnumerateDirectories())
        {
            folder.Delete(recursive: true);
        }
    }

    /// <inheritdoc cref="ChildProcess.Suspend"/>
    public void Suspend() => _process!.Suspend();

    /// <inheritdoc cref="ChildProcess.Resume"/>
    public void Resume() => _process!.Resume();

    /// <summary>Changes a setting of the running server.</summary>
    public Task SetAsync(string setting, string value) => CommandAsync("config", "set", setting, value);

    /// <summary>Deletes all that the running server holds; connections stay.</summary>
    public Task EmptyAsync() => CommandAsync("flushall");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Delete(recursive: true);
    }

    private async Task CommandAsync(params string[] command)
    {
        var answer = await Command.RunAsync("redis-cli", ["-p", Port.ToString(CultureInfo.InvariantCulture), .. command]);
        if (answer.Trim() != "OK")
        {
            throw new InvalidOperationException($"redis-server does not take {string.Join(' ', command)}: {answer}");
        }
    }

    [GeneratedRegex("Ready to accept connections")]
    private static partial Regex Ready();
}
